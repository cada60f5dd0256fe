import { randomUUID } from 'node:crypto'
import { type ClientOptions, createClient, type RouterInputs, type RouterOutputs } from '@pointwise/client-sdk'
import type { ConnectOptions, Pool } from '@pointwise/db'
import { type AppConfig, type AppOptions, buildApp, createCaller, createLogger } from '@pointwise/server'
import type { FastifyInstance } from 'fastify'
import type { JWTPayload } from 'jose'
import { urlOf } from '../../server/src/http/address.ts'
import { CONFIG, signToken, signUserToken } from './configuration.ts'
import { emptyDatabase, freshDatabase } from './database.ts'
import { insertUsers } from './insert-users.ts'
import { expectAuditPasses } from './invariants.ts'
import { expectNoSecrets } from './log-secrets.ts'
import { splitStatements } from './statements.ts'

export type Client = ReturnType<typeof createClient>
export type Caller = ReturnType<typeof createCaller>
export type Product = RouterOutputs['products']['get']
type Item = RouterInputs['orders']['place']['items'][number]

export interface ShopOptions extends Pick<AppOptions, 'limits' | 'userExistenceTtlSeconds' | 'storefront'> {
  config?: Partial<AppConfig>
  database?: ConnectOptions
  logLevel?: 'info' | 'debug'
  now?: () => Date
  /** The name of a database whose next ids are 1, instead of the worker's default database. */
  fresh?: string
  /** Maps the URL of the database to the one that the server uses, such as a proxy's. */
  behind?: (url: string) => string
}

export interface GivenUser {
  id: number
  name: string
  token: string
  client: Client
}

/** Long enough for a slow machine. A test that occupies every connection sets a shorter time. */
const PATIENT = { acquireTimeoutMs: 20_000 } satisfies ConnectOptions

/** For tests in which many calls wait for the lock of one row. */
export const PATIENT_LOCKS = { ...PATIENT, lockWaitSeconds: 20 } satisfies ConnectOptions

/**
 * Starts a server on a free port and an empty database: `await using shop = await openShop()`. Disposing it closes the
 * server, runs the audit, and asserts that the log contains no secret.
 */
export async function openShop(given: ShopOptions = {}): Promise<Shop> {
  const { config, database, logLevel = 'info', now, fresh, behind, limits, ...rest } = given
  const statements: string[] = []
  const values = new Set<unknown>()
  const options: ConnectOptions = {
    log: (event) => {
      for (const statement of splitStatements(event)) {
        statements.push(statement.sql)
        for (const value of statement.values) values.add(value)
      }
    },
    ...PATIENT,
    ...database,
  }
  const { db, url: databaseUrl } = await (fresh ? freshDatabase(fresh, options) : emptyDatabase(options, behind))
  const log: string[] = []
  const everyLine: string[] = []
  const write = (line: string) => {
    log.push(line)
    everyLine.push(line)
  }
  const app = await buildApp({
    db,
    config: { ...CONFIG, ...config },
    logger: createLogger(logLevel, { write }),
    ...(now && { now }),
    // The work of the test blocks the server's process, so its event loop delay does not measure load.
    limits: { eventLoopDelayMaxMs: 60_000, ...limits },
    ...rest,
  })
  await app.listen({ port: 0, host: '127.0.0.1' })
  return new Shop({
    app,
    db,
    databaseUrl,
    url: urlOf(app.server),
    log,
    statements,
    now,
    expectNoSecrets: () => expectNoSecrets(everyLine, values),
  })
}

type Parts = Pick<Shop, 'app' | 'db' | 'databaseUrl' | 'url' | 'log' | 'statements'> & {
  now: (() => Date) | undefined
  expectNoSecrets: () => void
}

export class Shop implements AsyncDisposable {
  readonly app: FastifyInstance
  readonly db: Pool
  readonly databaseUrl: string
  readonly url: string
  /** The server's log, one JSON text for each line. */
  readonly log: string[]
  /** Every statement that was sent through the pool. */
  readonly statements: string[]
  readonly #now: { now?: () => Date }
  readonly #expectNoSecrets: () => void
  #named = 0

  constructor({ app, db, databaseUrl, url, log, statements, now, expectNoSecrets }: Parts) {
    this.app = app
    this.db = db
    this.databaseUrl = databaseUrl
    this.url = url
    this.log = log
    this.statements = statements
    this.#now = now ? { now } : {}
    this.#expectNoSecrets = expectNoSecrets
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.app.close()
    try {
      await expectAuditPasses(this.db)
      this.#expectNoSecrets()
    } finally {
      await this.db.destroy()
    }
  }

  client(options: Omit<ClientOptions, 'url'> = {}): Client {
    return createClient({ url: this.url, ...options })
  }

  /** An SDK client with an admin's token. */
  async admin(): Promise<Client> {
    return this.client({ token: await this.adminToken() })
  }

  /** Calls as a user, in-process. */
  asUser(userId: number): Caller {
    return createCaller({ db: this.db, userId, settlement: this.app.settlement, ...this.#now })
  }

  /** Calls as an admin, in-process. */
  asAdmin(): Caller {
    return createCaller({ db: this.db, admin: true, settlement: this.app.settlement, ...this.#now })
  }

  /** By default it is valid for an hour. */
  token(claims: JWTPayload): Promise<string> {
    return signToken(claims)
  }

  userToken(userId: number): Promise<string> {
    return signUserToken(userId)
  }

  adminToken(): Promise<string> {
    return signToken({ sub: 'admin', role: 'admin' })
  }

  /** A user with points, and an SDK client with their token. */
  async givenUser({ points = 0, name = `user ${++this.#named}` } = {}): Promise<GivenUser> {
    const { id } = await this.asAdmin().users.create({ name })
    if (points > 0) await this.asUser(id).points.charge({ amount: points })
    const token = await this.userToken(id)
    return { id, name, token, client: this.client({ token }) }
  }

  /** Inserts many users at once, with the rows that creating and charging each of them would write. */
  async givenUsers(count: number, { points = 0 }: { points?: number } = {}): Promise<GivenUser[]> {
    const names = Array.from({ length: count }, () => `user ${++this.#named}`)
    const ids = await insertUsers(this.db, names, points)
    return Promise.all(
      ids.map(async (id, index) => {
        const token = await this.userToken(id)
        return { id, name: names[index] ?? '', token, client: this.client({ token }) }
      }),
    )
  }

  async givenStore(name = `store ${++this.#named}`): Promise<RouterOutputs['stores']['create']> {
    return this.asAdmin().stores.create({ name })
  }

  async givenProduct({
    price = 100,
    stock = 10,
    name = `product ${++this.#named}`,
    storeId,
  }: {
    price?: number
    stock?: number
    name?: string
    storeId?: number
  } = {}): Promise<Product> {
    const store = storeId ?? (await this.givenStore()).id
    return this.asAdmin().products.create({ storeId: store, name, price, stock })
  }
}

/** An item of an order, at the current price of the product. */
export function item(product: Product, quantity = 1): Item {
  return { productId: product.id, quantity, price: product.price }
}

export const newKey = (): string => randomUUID()
