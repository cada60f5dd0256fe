import { type GivenUser, item, newKey, type Product, type Shop } from '../setup/shop.ts'

/** A shop with enough points and stock for any number of calls. */
export interface Stocked {
  shop: Shop
  user: GivenUser
  admin: string
  product: Product
}

export async function stocked(shop: Shop): Promise<Stocked> {
  const [user, admin] = [await shop.givenUser({ points: 900_000 }), await shop.adminToken()]
  return { shop, user, admin, product: await shop.givenProduct({ price: 1, stock: 1_000_000 }) }
}

export interface Call {
  path: string
  by: 'user' | 'admin'
  isQuery?: true
  /** Whether the server itself resolves the outcome of a COMMIT whose response was lost. */
  readsBack?: true
  /** Creates the rows that the call needs, and returns its input, without an idempotency key where one is optional. */
  given: (stocked: Stocked) => Promise<object>
}

/** The token of the caller that a call needs. */
export const tokenFor = ({ by }: Pick<Call, 'by'>, { user, admin }: Stocked) => (by === 'user' ? user.token : admin)

const cart = ({ product }: Stocked) => ({ items: [item(product)] })

async function placed({ shop, user, product }: Stocked): Promise<{ orderId: number }> {
  const { id } = await shop.asUser(user.id).orders.place({ items: [item(product)] })
  return { orderId: id }
}

async function paid({ shop, user, product }: Stocked): Promise<{ orderId: number }> {
  const { order } = await shop.asUser(user.id).orders.checkout({ items: [item(product)] })
  return { orderId: order.id }
}

async function created({ shop, product }: Stocked): Promise<{ productId: number }> {
  const { id } = await shop.asAdmin().products.create({ ...newProduct(product), name: newKey() })
  return { productId: id }
}

const newProduct = ({ storeId }: Product) => ({ storeId, name: newKey(), price: 5, stock: 5 })

/** Every mutation. */
export const MUTATIONS: Call[] = [
  { path: 'points.charge', by: 'user', given: async () => ({ amount: 1 }) },
  { path: 'orders.place', by: 'user', given: async (stocked) => cart(stocked) },
  { path: 'orders.checkout', by: 'user', readsBack: true, given: async (stocked) => cart(stocked) },
  { path: 'payments.pay', by: 'user', readsBack: true, given: placed },
  { path: 'orders.cancel', by: 'user', readsBack: true, given: placed },
  { path: 'payments.refund', by: 'admin', given: paid },
  {
    path: 'products.restock',
    by: 'admin',
    given: async ({ product }) => ({ productId: product.id, quantity: 1 }),
  },
  { path: 'products.create', by: 'admin', given: async ({ product }) => newProduct(product) },
  {
    path: 'products.update',
    by: 'admin',
    given: async (stocked) => ({ ...(await created(stocked)), name: newKey() }),
  },
  { path: 'products.remove', by: 'admin', given: created },
  { path: 'users.create', by: 'admin', given: async () => ({ name: newKey() }) },
  {
    path: 'users.remove',
    by: 'admin',
    given: async ({ shop }) => ({ userId: (await shop.asAdmin().users.create({ name: newKey() })).id }),
  },
  { path: 'stores.create', by: 'admin', given: async () => ({ name: newKey() }) },
]

/** Queries that run outside a transaction. */
export const QUERIES: Call[] = [
  { path: 'products.get', by: 'user', isQuery: true, given: async ({ product }) => ({ productId: product.id }) },
  { path: 'points.histories', by: 'user', isQuery: true, given: async () => ({}) },
  { path: 'orders.list', by: 'user', isQuery: true, given: async () => ({ limit: 1 }) },
]
