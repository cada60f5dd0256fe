import { randomUUID } from 'node:crypto'
import { type Db, type Tx, transact } from '@pointwise/db'
import * as payments from '../payments/service.ts'
import * as points from '../points/service.ts'
import * as products from '../products/service.ts'
import * as stores from '../stores/service.ts'
import * as users from '../users/service.ts'

const STORES = ['Kitchen & Co', 'The Reading Room', 'Out There']
const USERS = ['Ada', 'Ben', 'Chloé', 'Daniel', 'Eun-ji']
const POINTS = 200_000
const SALES = 40

const QUALITIES = [
  'Small', 'Large', 'Blue', 'Green', 'Red', 'White', 'Black', 'Light', 'Heavy', 'Folding', 'Round', 'Square', 'Soft',
  'Plain', 'Striped', 'Woven', 'Wooden', 'Steel', 'Glass', 'Paper', 'Linen', 'Travel', 'Garden', 'Winter', 'Summer',
] // biome-ignore format: a list of words
const THINGS = [
  'Bowl', 'Kettle', 'Lamp', 'Notebook', 'Backpack', 'Blanket', 'Mug', 'Chair', 'Basket', 'Bottle', 'Tent', 'Clock',
  'Cushion', 'Tray', 'Hat', 'Scarf', 'Shelf', 'Vase', 'Torch', 'Map',
] // biome-ignore format: a list of words

/** Fills an empty database with 3 stores, 500 products and 5 users with points; one with users is left as it is. */
export async function fillWhenEmpty(db: Db): Promise<boolean> {
  if (await users.wasAny(db)) return false
  const now = new Date()
  await transact(db, async (tx) => {
    const catalogue = await createCatalogue(tx, now)
    const customers = await createCustomers(tx, now)
    for (let sale = 0; sale < SALES; sale++) {
      const product = catalogue[(sale * sale * 7) % 97]
      const customer = customers[sale % customers.length]
      if (product && customer) await sell(tx, { product, userId: customer.id, quantity: 1 + (sale % 3), now })
    }
  })
  return true
}

async function createCatalogue(tx: Tx, now: Date): Promise<products.Product[]> {
  const shops: stores.Store[] = []
  for (const name of STORES) shops.push(await stores.create(tx, { name }))
  const catalogue: products.Product[] = []
  for (const [row, quality] of QUALITIES.entries()) {
    for (const [column, thing] of THINGS.entries()) {
      const price = 100 * (1 + ((row * 13 + column * 29) % 180))
      const stock = 5 + ((row * 17 + column * 11) % 90)
      const storeId = shops[(row + column) % shops.length]?.id ?? 0
      catalogue.push(await products.create(tx, { storeId, name: `${quality} ${thing}`, price, stock, now }))
    }
  }
  return catalogue
}

async function createCustomers(tx: Tx, now: Date): Promise<users.User[]> {
  const customers: users.User[] = []
  for (const name of USERS) {
    const user = await users.create(tx, { name, now })
    await points.charge(tx, { userId: user.id, amount: POINTS, idempotencyKey: randomUUID(), now })
    customers.push(user)
  }
  return customers
}

async function sell(
  tx: Tx,
  { product, userId, quantity, now }: { product: products.Product; userId: number; quantity: number; now: Date },
): Promise<void> {
  const items = [{ productId: product.id, price: product.price, quantity }]
  await payments.checkout(tx, { userId, items, idempotencyKey: randomUUID(), now })
}
