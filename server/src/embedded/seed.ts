import { randomUUID } from 'node:crypto'
import { type Pool, type Tx, transact } from '@pointwise/db'
import { SettlementQueue } from '../payments/settlement/queue.ts'
import * as points from '../points/service.ts'
import type { Product } from '../products/product-schemas.ts'
import * as products from '../products/service.ts'
import * as stores from '../stores/service.ts'
import type { Store } from '../stores/store-schemas.ts'
import * as users from '../users/service.ts'
import type { User } from '../users/user-schemas.ts'

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
export async function seedIfEmpty(db: Pool): Promise<boolean> {
  if (await users.hasEverHadUsers(db)) return false
  const now = new Date()
  const { catalogue, customers } = await transact(db, async (tx) => ({
    catalogue: await createCatalogue(tx, now),
    customers: await createCustomers(tx, now),
  }))
  const queue = new SettlementQueue(db)
  const sales = Array.from({ length: SALES }, (_, sale) => {
    const product = catalogue[(sale * sale * 7) % 97]
    const customer = customers[sale % customers.length]
    if (!product || !customer) throw new Error('The demonstration has too few products or customers.')
    const items = [{ productId: product.id, price: product.price, quantity: 1 + (sale % 3) }]
    return queue.settle({ kind: 'checkout', userId: customer.id, items, idempotencyKey: randomUUID(), now })
  })
  await Promise.all(sales)
  return true
}

async function createCatalogue(tx: Tx, now: Date): Promise<Product[]> {
  const shops: Store[] = []
  for (const name of STORES) shops.push(await stores.create(tx, { name }))
  const catalogue: Product[] = []
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

async function createCustomers(tx: Tx, now: Date): Promise<User[]> {
  const customers: User[] = []
  for (const name of USERS) {
    const user = await users.create(tx, { name, now })
    await points.charge(tx, { userId: user.id, amount: POINTS, idempotencyKey: randomUUID(), now })
    customers.push(user)
  }
  return customers
}
