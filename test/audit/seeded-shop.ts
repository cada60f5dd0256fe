import { connect, createDatabase, migrate, type Pool, transact } from '@pointwise/db'
import { createCaller } from '@pointwise/server'
import { databaseUrl, emptyTables, run, TABLES } from '../setup/database.ts'

export const PAID_AT = '2026-03-01T10:15:00.000Z'
export const LATER = '2026-03-01T11:45:00.000Z'

/** A database for this worker without foreign keys and check constraints, so that tests can write corrupt rows. */
export async function databaseWithoutConstraints(): Promise<Pool> {
  const url = databaseUrl('audit')
  await createDatabase(url)
  await migrate(url)
  const db = connect(url, { connections: 2 })
  const constraints = await run<{ table: string; name: string }>(
    db,
    `select table_name as \`table\`, constraint_name as name from information_schema.table_constraints
    where table_schema = database() and constraint_type in ('FOREIGN KEY', 'CHECK')
    and table_name not like 'kysely%' order by constraint_type desc`,
  )
  // MariaDB's check of a JSON column belongs to the column and cannot be dropped by its name.
  const droppable = constraints.filter(({ name }) => name !== 'payload')
  for (const { table, name } of droppable) await run(db, `alter table ${table} drop constraint ${name}`)
  return db
}

const LAST_IDS = [
  'users',
  'points',
  'point_histories',
  'stock',
  'stock_changes',
  'orders',
  'order_products',
  'events',
].map((table) => `(select max(id) from ${table})`)

export type ShopIds = Awaited<ReturnType<typeof seedShop>>

/** Empties the database and fills it with an order of each status and a row of every kind. Returns the ids of the rows. */
export async function seedShop(db: Pool) {
  await emptyTables(db)
  await run(db, "update outbox_cursors set position = 0 where name = 'horizon'")
  const at = (time: string) => ({ db, now: () => new Date(time) })
  const admin = createCaller({ ...at(PAID_AT), admin: true })
  const { id: ada } = await admin.users.create({ name: 'Ada' })
  const { id: ben } = await admin.users.create({ name: 'Ben' })
  const { id: storeId } = await admin.stores.create({ name: 'Corner' })
  const product = (name: string, price: number, stock: number) => admin.products.create({ storeId, name, price, stock })
  const [tea, mug, cup] = [await product('Tea', 100, 10), await product('Mug', 250, 5), await product('Cup', 50, 1)]
  await admin.products.restock({ productId: tea.id, quantity: 5 })
  await admin.products.restock({ productId: tea.id, quantity: -1 })
  await admin.products.update({ productId: mug.id, name: 'Large mug' })
  await admin.products.remove({ productId: cup.id })

  const [asAda, asBen] = [ada, ben].map((userId) => createCaller({ ...at(PAID_AT), userId }))
  const benLater = createCaller({ ...at(LATER), userId: ben })
  if (!asAda || !asBen) throw new Error('A caller is missing.')
  const item = (product: typeof tea, quantity = 1) => ({ productId: product.id, quantity, price: product.price })
  const { historyId: adasCharge } = await asAda.points.charge({ amount: 1_000 })
  const { historyId: bensCharge } = await asBen.points.charge({ amount: 500 })
  const { order: paid } = await asAda.orders.checkout({ items: [item(tea, 2), item(mug)] })
  const pending = await asAda.orders.place({ items: [item(tea)] })
  const cancelled = await asAda.orders.place({ items: [item(mug)] })
  await asAda.orders.cancel({ orderId: cancelled.id })
  const { order: later } = await benLater.orders.checkout({ items: [item(tea)] })
  const { order: refunded } = await asAda.orders.checkout({ items: [item(tea)] })
  await admin.payments.refund({ orderId: refunded.id })

  const id = async (query: string) => Number((await run<{ id: number }>(db, query))[0]?.id)
  const wallet = (user: number) => id(`select id from points where user_id = ${user}`)
  const history = (type: string, order: number) =>
    id(`select id from point_histories where use_type = '${type}' and order_id = ${order}`)
  const event = (type: string, field: string, subject: number) =>
    id(`select id from events where type = '${type}' and json_value(payload, '$.${field}') = ${subject}`)
  const wallets = { ada: await wallet(ada), ben: await wallet(ben) }
  return {
    /** An id greater than every id in use. */
    fresh: (await id(`select greatest(${LAST_IDS.join(', ')}) as id`)) + 1_000,
    users: { ada, ben },
    wallets,
    products: { tea: tea.id, mug: mug.id, cup: cup.id },
    orders: { paid: paid.id, later: later.id, pending: pending.id, cancelled: cancelled.id, refunded: refunded.id },
    stock: { cup: await id(`select id from stock where product_id = ${cup.id}`) },
    lines: { cancelled: await id(`select id from order_products where order_id = ${cancelled.id}`) },
    histories: {
      adasCharge,
      bensCharge,
      paid: await history('USE', paid.id),
      later: await history('USE', later.id),
      refunded: await history('REFUND', refunded.id),
    },
    events: {
      charged: await event('points.charged', 'historyId', bensCharge),
      placed: await event('order.placed', 'orderId', pending.id),
      paid: await event('order.paid', 'orderId', paid.id),
      refunded: await event('order.refunded', 'orderId', refunded.id),
      cancelled: await event('order.cancelled', 'orderId', cancelled.id),
      restocked: await event('product.restocked', 'productId', tea.id),
    },
  }
}

/** Copies every table, and returns a function that restores the copied rows. */
export async function copyTables(db: Pool): Promise<() => Promise<void>> {
  for (const table of TABLES) {
    await run(db, `drop table if exists copy_of_${table}`)
    await run(db, `create table copy_of_${table} as select * from ${table}`)
  }
  return () =>
    transact(db, async (tx) => {
      for (const table of TABLES) {
        await run(tx, `delete from ${table}`)
        await run(tx, `insert into ${table} select * from copy_of_${table}`)
      }
    })
}
