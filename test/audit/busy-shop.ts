import type { Pool } from '@pointwise/db'
import { createCaller } from '@pointwise/server'
import { emptyTables, run } from '../setup/database.ts'

const START = Date.parse('2026-03-01T08:00:00.000Z')
const STEP_MS = 11 * 60_000

/** An event of the busy shop. */
interface ShopEvent {
  id: number
  type: string
  payload: { userId?: number; orderId?: number; historyId?: number; productId?: number }
}

/** The ids of the busy shop, by the names in its history. */
export interface BusyShop {
  users: Record<'ada' | 'ben' | 'cid' | 'dan', number>
  products: Record<'tea' | 'mug' | 'cup' | 'flyer' | 'lamp', number>
  orders: Record<'refunded' | 'placedThenPaid' | 'bens' | 'cancelled' | 'lamps' | 'free' | 'mugs' | 'pending', number>
  /** The id of the event of this type for an order, a product or the n-th charge. */
  event: (type: string, subject: number, occurrence?: number) => number
  /** The id of the n-th charge, from 0. */
  charge: (occurrence: number) => number
  /** The id of the event of the n-th charge, from 0. */
  chargeEvent: (occurrence: number) => number
  /** The id of the stock change of the first restock. */
  firstRestock: number
  /** A store without products. */
  otherStore: number
}

/**
 * Empties the database and fills it with a history of about thirty calls, eleven minutes apart: charges, price changes, a new
 * name, restocks, orders in every status, a free order, and a product that is removed while an order of it is pending. Other
 * times and steps can be given, in milliseconds.
 */
export async function seedBusyShop(db: Pool, { start = START, step = STEP_MS } = {}): Promise<BusyShop> {
  await emptyTables(db)
  await run(db, "update outbox_cursors set position = 0 where name = 'horizon'")
  const callers = callersOf(db, start, step)
  const created = await createUsersAndProducts(callers)
  const orders = await callProcedures(callers, created)
  return { ...created, orders, ...(await lookUpIds(db)) }
}

type Callers = ReturnType<typeof callersOf>
type Created = Pick<BusyShop, 'users' | 'products' | 'otherStore'>

/** Callers whose clock advances with each step. */
function callersOf(db: Pool, start: number, stepMs: number) {
  let steps = 0
  const now = () => new Date(start + steps * stepMs)
  return {
    admin: createCaller({ db, now, admin: true }),
    asUser: (userId: number) => createCaller({ db, now, userId }),
    step: <T>(call: () => Promise<T>): Promise<T> => {
      steps++
      return call()
    },
  }
}

async function createUsersAndProducts({ admin, step }: Callers): Promise<Created> {
  const createUser = async (name: string) => (await step(() => admin.users.create({ name }))).id
  const users = {
    ada: await createUser('Ada'),
    ben: await createUser('Ben'),
    cid: await createUser('Cid'),
    dan: await createUser('Dan'),
  }
  const { id: storeId } = await admin.stores.create({ name: 'Corner' })
  const { id: otherStore } = await admin.stores.create({ name: 'Harbour' })
  const createProduct = async (name: string, price: number, stock: number) =>
    (await step(() => admin.products.create({ storeId, name, price, stock }))).id
  const products = {
    tea: await createProduct('Tea', 100, 20),
    mug: await createProduct('Mug', 250, 10),
    cup: await createProduct('Cup', 50, 5),
    flyer: await createProduct('Flyer', 0, 100),
    lamp: await createProduct('Lamp', 300, 3),
  }
  return { users, products, otherStore }
}

async function callProcedures({ admin, asUser, step }: Callers, { users, products }: Created) {
  const { tea, mug, cup, flyer, lamp } = products
  const [ada, ben, cid] = [asUser(users.ada), asUser(users.ben), asUser(users.cid)]
  const charge = (user: typeof ada, amount: number) => step(() => user.points.charge({ amount }))
  const item = (productId: number, price: number, quantity = 1) => ({ productId, price, quantity })
  const checkout = async (user: typeof ada, ...items: ReturnType<typeof item>[]) =>
    (await step(() => user.orders.checkout({ items }))).order.id
  const place = async (user: typeof ada, ...items: ReturnType<typeof item>[]) =>
    (await step(() => user.orders.place({ items }))).id
  const restock = (productId: number, quantity: number) => step(() => admin.products.restock({ productId, quantity }))
  const update = (change: Parameters<typeof admin.products.update>[0]) => step(() => admin.products.update(change))

  await charge(ada, 1_000)
  await charge(ben, 500)
  const refunded = await checkout(ada, item(tea, 100, 2), item(mug, 250))
  await restock(tea, 5)
  await update({ productId: tea, price: 120 })
  const placedThenPaid = await place(ada, item(tea, 120))
  await update({ productId: tea, name: 'Green tea' })
  await step(() => ada.payments.pay({ orderId: placedThenPaid }))
  await charge(ada, 300)
  const bens = await checkout(ben, item(tea, 120), item(cup, 50, 2))
  const cancelled = await place(ada, item(mug, 250))
  await step(() => ada.orders.cancel({ orderId: cancelled }))
  await step(() => admin.payments.refund({ orderId: refunded }))
  await restock(tea, -3)
  await restock(tea, 5)
  const lamps = await place(ben, item(lamp, 300))
  await charge(ben, 100)
  await step(() => admin.products.remove({ productId: lamp }))
  await step(() => ben.payments.pay({ orderId: lamps }))
  const free = await checkout(cid, item(flyer, 0, 3))
  const mugs = await checkout(ada, item(mug, 250, 2))
  const pending = await place(ada, item(tea, 120, 2), item(cup, 50, 2), item(flyer, 0))
  await update({ productId: mug, price: 260 })
  await charge(ben, 50)
  return { refunded, placedThenPaid, bens, cancelled, lamps, free, mugs, pending }
}

async function lookUpIds(db: Pool): Promise<Omit<BusyShop, keyof Created | 'orders'>> {
  const rows = await run<{ id: number; type: string; payload: string }>(
    db,
    'select id, type, cast(payload as char) as payload from events order by id',
  )
  const events = rows.map((row): ShopEvent => ({ ...row, payload: JSON.parse(row.payload) }))
  const nth = (found: ShopEvent[], occurrence: number, what: string) => {
    const event = found[occurrence]
    if (!event) throw new Error(`The busy shop has no event ${what}.`)
    return event
  }
  const [firstRestock] = await run<{ id: number }>(
    db,
    "select min(id) as id from stock_changes where reason = 'RESTOCKED'",
  )
  const charges = events.filter(({ type }) => type === 'points.charged')
  return {
    event: (type, subject, occurrence = 0) =>
      nth(
        events.filter((event) => event.type === type && (event.payload.orderId ?? event.payload.productId) === subject),
        occurrence,
        `${type} of ${subject}`,
      ).id,
    charge: (occurrence) => nth(charges, occurrence, 'of a charge').payload.historyId ?? 0,
    chargeEvent: (occurrence) => nth(charges, occurrence, 'of a charge').id,
    firstRestock: firstRestock?.id ?? 0,
  }
}
