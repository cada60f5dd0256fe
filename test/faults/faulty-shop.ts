import { connect, type Pool } from '@pointwise/db'
import { expect, vi } from 'vitest'
import { databaseUrl, holdConnection, run } from '../setup/database.ts'
import { eventually } from '../setup/eventually.ts'
import { type FaultProxy, faultProxy } from '../setup/fault-proxy.ts'
import { selectOpenTransactions } from '../setup/open-transactions.ts'
import { openShop, type Shop, type ShopOptions } from '../setup/shop.ts'

export interface FaultyShop extends AsyncDisposable {
  shop: Shop
  /** Between the server and its database. */
  proxy: FaultProxy
  /** A direct connection to the database, for assertions. */
  direct: Pool
}

/** A shop whose database is behind a proxy. Disposing it removes the faults and runs the audit. */
export async function openFaultyShop(options: ShopOptions = {}): Promise<FaultyShop> {
  const proxy = await faultProxy(databaseUrl())
  const shop = await openShop({ ...options, behind: () => proxy.url })
  const direct = connect(shop.databaseUrl, { connections: 2 })
  return {
    shop,
    proxy,
    direct,
    async [Symbol.asyncDispose]() {
      proxy.clear()
      proxy.enable()
      // `afterAll` disposes shops too, and `eventually` works only inside a test.
      await vi.waitFor(() => expect(shop.db.accessError).toBeUndefined(), { timeout: 120_000 })
      try {
        await shop[Symbol.asyncDispose]()
      } finally {
        await direct.destroy()
        await proxy.close()
      }
    },
  }
}

/** A checksum of every table. Two checksums are equal if nothing was written in between. */
export async function fingerprint(db: Pool): Promise<string> {
  const rows = await run<{ Checksum: number }>(
    db,
    `checksum table events, product_sales, refunds, payments, point_histories, order_products, orders, stock_changes,
      stock, products, stores, points, users`,
  )
  return rows.map(({ Checksum }) => Checksum).join(' ')
}

/** Asserts that no session is inside a transaction or busy, and that all connections can be acquired at once. */
export async function expectIdlePool({ shop, direct }: FaultyShop, connections: number): Promise<void> {
  const name = new URL(shop.databaseUrl).pathname.slice(1)
  const busy = `
    select id, command, info, trx_state from information_schema.processlist
    left join information_schema.innodb_trx on trx_mysql_thread_id = id
    where db = '${name}' and id <> connection_id() and (command <> 'Sleep' or trx_state is not null)`
  await eventually(() => selectOpenTransactions(direct, busy)).toEqual([])
  const held = await Promise.all(Array.from({ length: connections }, () => holdConnection(shop.db)))
  for (const each of held) await each[Symbol.asyncDispose]()
}
