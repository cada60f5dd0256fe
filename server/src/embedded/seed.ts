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

const ADJECTIVES = [
  'Small', 'Large', 'Blue', 'Green', 'Red', 'White', 'Black', 'Light', 'Heavy', 'Folding', 'Round', 'Square', 'Soft',
  'Plain', 'Striped', 'Woven', 'Wooden', 'Steel', 'Glass', 'Paper', 'Linen', 'Travel', 'Garden', 'Winter', 'Summer',
] // biome-ignore format: a list of words
const NOUNS = [
  'Bowl', 'Kettle', 'Lamp', 'Notebook', 'Backpack', 'Blanket', 'Mug', 'Chair', 'Basket', 'Bottle', 'Tent', 'Clock',
  'Cushion', 'Tray', 'Hat', 'Scarf', 'Shelf', 'Vase', 'Torch', 'Map',
] // biome-ignore format: a list of words

/**
 * Fills an empty database with demo data: 3 stores, 500 products, 5 users with points, and 40 sales. Leaves a database that
 * has ever had users unchanged. Returns whether the data was created.
 */
export async function seedIfEmpty(db: Pool): Promise<boolean> {
  if (await users.hasEverHadUsers(db)) return false
  const now = new Date()
  const { demoProducts, customers } = await transact(db, async (tx) => ({
    demoProducts: await createProducts(tx, now),
    customers: await createCustomers(tx, now),
  }))
  const queue = new SettlementQueue(db)
  const sales = Array.from({ length: SALES }, (_, sale) => {
    const product = elementAt(demoProducts, (sale * sale * 7) % 97)
    const customer = elementAt(customers, sale)
    const items = [{ productId: product.id, price: product.price, quantity: 1 + (sale % 3) }]
    return queue.settle({ kind: 'checkout', userId: customer.id, items, idempotencyKey: randomUUID(), now })
  })
  await Promise.all(sales)
  return true
}

async function createProducts(tx: Tx, now: Date): Promise<Product[]> {
  const demoStores: Store[] = []
  for (const name of STORES) demoStores.push(await stores.create(tx, { name }))
  const demoProducts: Product[] = []
  for (const [row, adjective] of ADJECTIVES.entries()) {
    for (const [column, noun] of NOUNS.entries()) {
      const price = 100 * (1 + ((row * 13 + column * 29) % 180))
      const stock = 5 + ((row * 17 + column * 11) % 90)
      const { id: storeId } = elementAt(demoStores, row + column)
      demoProducts.push(await products.create(tx, { storeId, name: `${adjective} ${noun}`, price, stock, now }))
    }
  }
  return demoProducts
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

/** Returns the element at `index` modulo the length of the array, which must not be empty. */
function elementAt<T extends object>(elements: readonly T[], index: number): T {
  const element = elements[index % elements.length]
  if (!element) throw new Error('The demo data is empty.')
  return element
}
