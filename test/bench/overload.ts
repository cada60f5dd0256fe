/**
 * How many calls are served when ten times as many connections ask as the server serves best. By hand:
 *
 *   DATABASE_URL=mysql://root@127.0.0.1:3306/overload node test/bench/overload.ts [checkout|list] [impatient]
 *
 * The server is a process of its own, and so are its clients. Each connection makes one call after the other; after
 * service_busy it waits as long as it was told, as the SDK does, or not at all if it is impatient.
 */
import { type ChildProcess, fork, spawn } from 'node:child_process'
import { once } from 'node:events'
import { createServer } from 'node:net'
import { fileURLToPath } from 'node:url'
import { connect, createDatabase, migrate } from '@pointwise/db'
import { createCaller } from '@pointwise/server'
import { SignJWT } from 'jose'
import type { Measured, Order } from './overload-clients.ts'

const SECRET = 'a secret of at least thirty-two bytes'
const STEPS = [16, 32, 64, 128, 256]
const WARM_UP_SECONDS = 2
const SECONDS = 6
const ROUNDS = 3
const USERS = 1_000
const PRODUCTS = 50

const path = (file: string) => fileURLToPath(new URL(file, import.meta.url))
const [what = 'checkout', patience] = process.argv.slice(2)
const databaseUrl = process.env.DATABASE_URL
if (!databaseUrl) throw new Error('DATABASE_URL says where the database is that this fills.')

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  server.close()
  return typeof address === 'object' && address ? address.port : 0
}

async function startServer(url: string): Promise<{ child: ChildProcess; port: number }> {
  const port = await freePort()
  const env = { PATH: process.env.PATH, DATABASE_URL: url, JWT_SECRET: SECRET, PORT: String(port), RATE_LIMIT: 'off' }
  const child = spawn(process.execPath, [path('../../server/src/main.ts')], {
    env,
    stdio: ['ignore', 'ignore', 'inherit'],
  })
  const isReady = () =>
    fetch(`http://127.0.0.1:${port}/readyz`).then(
      ({ ok }) => ok,
      () => false,
    )
  while (!(await isReady())) await new Promise((done) => setTimeout(done, 100))
  return { child, port }
}

/** Users with points, who buy products that do not run out. */
async function fill(url: string): Promise<Pick<Order, 'tokens' | 'products'>> {
  await createDatabase(url)
  await migrate(url)
  const db = connect(url)
  const admin = createCaller({ db, admin: true })
  const run = `${Date.now()}`
  const store = await admin.stores.create({ name: `store ${run}` })
  const products: Order['products'] = []
  for (let n = 0; n < PRODUCTS; n++) {
    const { id, price } = await admin.products.create({
      storeId: store.id,
      name: `${n}`,
      price: 1,
      stock: 2_000_000_000,
    })
    products.push({ id, price })
  }
  const tokens: string[] = []
  for (let n = 0; n < USERS; n++) {
    const { id } = await admin.users.create({ name: `user ${run} ${n}` })
    await createCaller({ db, userId: id }).points.charge({ amount: 1_000_000 })
    const token = new SignJWT({ aud: 'pointwise', iss: 'pointwise', sub: String(id) })
    tokens.push(await token.setProtectedHeader({ alg: 'HS256' }).setExpirationTime('1 hour').sign(Buffer.from(SECRET)))
  }
  await db.destroy()
  return { tokens, products }
}

async function measure(order: Order): Promise<Measured> {
  const child = fork(path('./overload-clients.ts'))
  child.send(order)
  const [measured] = await once(child, 'message')
  child.kill()
  return measured as Measured
}

const filled = await fill(databaseUrl)
const { child, port } = await startServer(databaseUrl)
const measureWith = (connections: number) =>
  measure({
    ...filled,
    port,
    connections,
    what: what === 'list' ? 'list' : 'checkout',
    patient: patience !== 'impatient',
    warmUpMs: WARM_UP_SECONDS * 1_000,
    measureMs: SECONDS * 1_000,
  })

const median = (values: number[]) => values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? Number.NaN
function middle(all: Measured[]): Measured {
  const of = (name: keyof Measured) => median(all.map((measured) => measured[name]))
  return { served: of('served'), shed: of('shed'), failed: of('failed'), p50: of('p50'), p99: of('p99') }
}

const rows: { connections: number; measured: Measured }[] = []
for (const connections of STEPS) rows.push({ connections, measured: await measureWith(connections) })
const best = rows.reduce((a, b) => (b.measured.served > a.measured.served ? b : a)).connections
// In turn, so that whatever else the machine does meets all of them.
const turns = [best, 10 * best, 4 * best]
const rounds: Measured[][] = []
for (let n = 0; n < ROUNDS; n++) {
  const round: Measured[] = []
  for (const connections of turns) round.push(await measureWith(connections))
  rounds.push(round)
}
const [peak, ...more] = turns.map((connections, index) => ({
  connections,
  measured: middle(rounds.map((round) => round[index] as Measured)),
}))
child.kill('SIGTERM')
await once(child, 'exit')

const say = (line: string) => process.stdout.write(`${line}\n`)
function sayRow({ connections, measured }: { connections: number; measured: Measured }, ratio: string): void {
  const { served, shed, failed, p50, p99 } = measured
  const perSecond = (count: number) => Math.round(count / SECONDS).toLocaleString('en')
  const cells = [perSecond(served), perSecond(shed), perSecond(failed), p50.toFixed(1), p99.toFixed(1), ratio]
  say([String(connections).padStart(11), ...cells.map((cell) => cell.padStart(10))].join(''))
}
say(`${what}, ${patience ?? 'patient'} clients, ${SECONDS} s each; below the line the median of ${ROUNDS} rounds`)
say('connections  goodput/s    shed/s  failed/s    p50 ms    p99 ms   to peak')
for (const row of rows) sayRow(row, '')
say('-'.repeat(71))
for (const row of [peak, ...more]) {
  if (row && peak) sayRow(row, `${Math.round((100 * row.measured.served) / peak.measured.served)} %`)
}
