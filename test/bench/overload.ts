/**
 * How many calls are served when ten times as many connections ask as the server serves best. By hand:
 *
 *   DATABASE_URL=mysql://root@127.0.0.1:3306/overload node test/bench/overload.ts [checkout|list] [impatient]
 *
 * The server is a process of its own, and so are its clients. Each connection makes one call after the other; after
 * service_busy it waits as long as it was told, as the SDK does, or not at all if it is impatient. On a machine that has
 * other work, and where the clients take their share of the same processors, the calls that a second of the server's own
 * processor time serves tell more than those of a second of the clock.
 */
import { type ChildProcess, fork, spawn } from 'node:child_process'
import { on, once } from 'node:events'
import { existsSync, readFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { fileURLToPath } from 'node:url'
import { connect, createDatabase, migrate } from '@pointwise/db'
import { createCaller } from '@pointwise/server'
import { SignJWT } from 'jose'
import type { Measured, Order } from './overload-clients.ts'

const SECRET = 'a secret of at least thirty-two bytes'
const STEPS = [16, 64, 256, 512, 1_024]
/** Beyond ten thousand the server lets nobody in. */
const CONNECTIONS_MAX = 9_900
const WARM_UP_SECONDS = 2
const SECONDS = 6
const ROUNDS = 3
const TICKS_A_SECOND = 100
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

/** Seconds of a processor that a process has used; where the system does not tell, none. */
function cpuSeconds({ pid }: ChildProcess): number {
  const path = `/proc/${pid}/stat`
  if (!existsSync(path)) return Number.NaN
  const [, user = 0, system = 0] = /\) (?:\S+ ){11}(\d+) (\d+)/.exec(readFileSync(path, 'utf8')) ?? []
  return (Number(user) + Number(system)) / TICKS_A_SECOND
}

type Row = Measured & { cpu: number }

async function measure(server: ChildProcess, order: Order): Promise<Row> {
  const child = fork(path('./overload-clients.ts'))
  const messages = on(child, 'message')[Symbol.asyncIterator]()
  const next = async () => (await messages.next()).value?.[0]
  child.send(order)
  await next()
  const before = cpuSeconds(server)
  await next()
  const cpu = cpuSeconds(server) - before
  const measured: Measured = await next()
  child.kill()
  return { ...measured, cpu }
}

const filled = await fill(databaseUrl)
const { child, port } = await startServer(databaseUrl)
const measureWith = (connections: number) =>
  measure(child, {
    ...filled,
    port,
    connections,
    what: what === 'list' ? 'list' : 'checkout',
    patient: patience !== 'impatient',
    warmUpMs: WARM_UP_SECONDS * 1_000,
    measureMs: SECONDS * 1_000,
  })

const median = (values: number[]) => values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? Number.NaN
function middle(all: Row[]): Row {
  const of = (name: keyof Row) => median(all.map((measured) => measured[name]))
  return {
    served: of('served'),
    shed: of('shed'),
    failed: of('failed'),
    p50: of('p50'),
    p99: of('p99'),
    cpu: of('cpu'),
  }
}

const rows: { connections: number; measured: Row }[] = []
for (const connections of STEPS) rows.push({ connections, measured: await measureWith(connections) })
const best = rows.reduce((a, b) => (b.measured.served > a.measured.served ? b : a)).connections
// In turn, so that whatever else the machine does meets all of them.
const turns = [best, Math.min(10 * best, CONNECTIONS_MAX)]
const rounds: Row[][] = []
for (let n = 0; n < ROUNDS; n++) {
  const round: Row[] = []
  for (const connections of turns) round.push(await measureWith(connections))
  rounds.push(round)
}
const [peak, ...more] = turns.map((connections, index) => ({
  connections,
  measured: middle(rounds.map((round) => round[index] as Row)),
}))
child.kill('SIGTERM')
await once(child, 'exit')

const say = (line: string) => process.stdout.write(`${line}\n`)
function sayRow({ connections, measured }: { connections: number; measured: Row }, ratio: string): void {
  const { served, shed, failed, p50, p99, cpu } = measured
  const perSecond = (count: number) => Math.round(count / SECONDS).toLocaleString('en')
  const cells = [perSecond(served), perSecond(shed), perSecond(failed), p50.toFixed(1), p99.toFixed(1)]
  say(
    [
      String(connections).padStart(11),
      ...[...cells, Math.round(served / cpu).toLocaleString('en')].map((cell) => cell.padStart(10)),
      `   ${ratio}`,
    ].join(''),
  )
}
say(`${what}, ${patience ?? 'patient'} clients, ${SECONDS} s each; below the line the median of ${ROUNDS} rounds`)
say('connections  goodput/s    shed/s  failed/s    p50 ms    p99 ms   per CPU s   to peak')
for (const row of rows) sayRow(row, '')
say('-'.repeat(110))
for (const row of [peak, ...more]) {
  if (!row || !peak) continue
  const percent = (of: (measured: Row) => number) => `${Math.round((100 * of(row.measured)) / of(peak.measured))} %`
  sayRow(row, `${percent(({ served }) => served)}, ${percent(({ served, cpu }) => served / cpu)} per CPU s`)
}
