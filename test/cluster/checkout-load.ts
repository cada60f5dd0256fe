import { connect, createDatabase, migrate, type Pool } from '@pointwise/db'
import { createCaller } from '@pointwise/server'
import { expect } from 'vitest'
import { runAuditCommand } from '../audit/audit-command.ts'
import { JWT_SECRET, signUserToken } from '../setup/configuration.ts'
import { run } from '../setup/database.ts'
import { eventually } from '../setup/eventually.ts'
import { insertUsers } from '../setup/insert-users.ts'
import { ServerProcess } from '../setup/server-process.ts'
import { item, newKey, type Product } from '../setup/shop.ts'
import { json, send } from '../setup/trpc-wire.ts'

const SERVERS = 3
const CUSTOMERS = 15
const POINTS = 1_000_000
const PATIENT = { timeout: 180_000, interval: 50 }

/** How often each answer was given. */
interface Answers {
  '200': number
  service_busy: number
  unknown: number
}

/**
 * Customers that check out without a pause, on three server processes in turn. A call that is refused as busy, or whose outcome is
 * unknown, is repeated with its key until it is answered with an order.
 */
export class CheckoutLoad implements AsyncDisposable {
  readonly #url: string
  readonly #db: Pool
  readonly #servers: ServerProcess[]
  readonly #product: Product
  readonly #orderIds = new Map<string, number>()
  #answers: Answers = { '200': 0, service_busy: 0, unknown: 0 }
  #lastSuccessAt = performance.now()
  #longestSilenceMs = 0
  #isOpen = true
  #buying: Promise<unknown> = Promise.resolve()

  private constructor(url: string, db: Pool, servers: ServerProcess[], product: Product) {
    this.#url = url
    this.#db = db
    this.#servers = servers
    this.#product = product
  }

  /**
   * Creates a shop in the database of this URL, starts the servers, and begins.
   *
   * @param urlOfServer the database URL of each server, which may prefer another host
   */
  static async start(url: string, urlOfServer = (_server: number) => url): Promise<CheckoutLoad> {
    await createDatabase(url)
    await migrate(url)
    const db = connect(url, { acquireTimeoutMs: 10_000 })
    const admin = createCaller({ db, admin: true })
    const { id: storeId } = await admin.stores.create({ name: 'Corner' })
    const product = await admin.products.create({ storeId, name: 'Tea', price: 1, stock: 10_000_000 })
    const names = Array.from({ length: CUSTOMERS }, (_, index) => `customer ${index}`)
    const tokens = await Promise.all((await insertUsers(db, names, POINTS)).map(signUserToken))
    const env = { JWT_SECRET, RATE_LIMIT: 'off', LOG_LEVEL: 'info', PORT: '0' }
    const servers = Array.from(
      { length: SERVERS },
      (_, server) => new ServerProcess({ ...env, DATABASE_URL: urlOfServer(server) }),
    )
    const load = new CheckoutLoad(url, db, servers, product)
    const urls = await Promise.all(servers.map((server) => server.url()))
    load.#buying = Promise.all(tokens.map((token, index) => load.#buy(token, urls, index)))
    return load
  }

  /** The pool that prepared the shop. It follows the primary as the servers do. */
  get db(): Pool {
    return this.#db
  }

  /** Waits until so many more checkouts are made. */
  async more(count = 100): Promise<void> {
    const before = this.#answers['200']
    await Promise.race([
      eventually(() => this.#answers['200'], PATIENT).toBeGreaterThanOrEqual(before + count),
      this.#buying,
    ])
  }

  /** What happened since the last call of this method. */
  takeFindings(): { longestSilenceMs: number; answers: Answers } {
    const findings = { longestSilenceMs: Math.round(this.#longestSilenceMs), answers: this.#answers }
    this.#longestSilenceMs = 0
    this.#answers = { '200': 0, service_busy: 0, unknown: 0 }
    return findings
  }

  /** The ports of the primaries that each server has found, in the order in which it found them. */
  primaries(): number[][] {
    return this.#servers.map(({ stdout }) =>
      [...stdout.matchAll(/"primary":\{"host":"127.0.0.1","port":(\d+)\}/g)].map(([, port]) => Number(port)),
    )
  }

  /** Ends the load, and asserts that every acknowledged order exists once, that no other does, and that the audit passes. */
  async expectTruth(): Promise<void> {
    this.#isOpen = false
    await this.#buying
    const orders = await run<{ id: number; key: string; status: string }>(
      this.#db,
      'select id, idempotency_key as `key`, status from orders',
    )
    expect(orders.filter(({ status }) => status !== 'paid')).toEqual([])
    expect(new Map(orders.map(({ id, key }) => [key, id]))).toEqual(this.#orderIds)
    expect(orders).toHaveLength(this.#orderIds.size)
    const [wallets] = await run<{ total: number }>(this.#db, 'select cast(sum(point) as signed) as total from points')
    expect(wallets?.total).toBe(CUSTOMERS * POINTS - orders.length)
    const { code, stdout, stderr } = await runAuditCommand({ DATABASE_URL: this.#url })
    expect(code, `${stdout}\n${stderr}`).toBe(0)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#isOpen = false
    const ended = this.#buying.catch(() => undefined)
    await Promise.all(this.#servers.map((server) => server[Symbol.asyncDispose]()))
    await ended
    await this.#db.destroy()
  }

  async #buy(token: string, urls: string[], first: number): Promise<void> {
    for (let calls = first; this.#isOpen; ) {
      const idempotencyKey = newKey()
      for (let orderId: number | undefined; orderId === undefined; calls++) {
        const url = urls[calls % urls.length] ?? ''
        orderId = await this.#checkout(url, token, idempotencyKey)
        if (orderId !== undefined) this.#orderIds.set(idempotencyKey, orderId)
      }
    }
  }

  /** Makes one call, and returns the order if it was answered with one. */
  async #checkout(url: string, token: string, idempotencyKey: string): Promise<number | undefined> {
    const input = { json: { items: [item(this.#product)], idempotencyKey } }
    const { status, text } = await send(
      { url },
      '/trpc/orders.checkout',
      json(JSON.stringify(input), { authorization: `Bearer ${token}` }),
    )
    const { result, error } = JSON.parse(text)
    const answer = status === 200 ? '200' : (error.json.data.refusal?.code ?? error.json.data.outcome)
    if (!['200', 'service_busy', 'unknown'].includes(answer)) throw new Error(`Unexpected answer ${status}: ${text}`)
    this.#answers[answer as keyof Answers]++
    if (status !== 200) return undefined
    const now = performance.now()
    this.#longestSilenceMs = Math.max(this.#longestSilenceMs, now - this.#lastSuccessAt)
    this.#lastSuccessAt = now
    return result.data.json.order.id
  }
}
