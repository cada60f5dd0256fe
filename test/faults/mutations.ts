import { type GivenUser, item, newKey, type Product, type Shop } from '../setup/shop.ts'

/** A shop with enough of everything for a mutation to succeed again and again. */
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

export interface Mutation {
  path: string
  by: 'user' | 'admin'
  /** Whether the server finds out by itself what became of a COMMIT whose answer was lost. */
  readsBack: boolean
  /** Makes what it needs, and returns its input; no key is given where one may be left out. */
  given: (stocked: Stocked) => Promise<object>
}

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

/** Everything that writes. */
export const MUTATIONS: Mutation[] = [
  { path: 'points.charge', by: 'user', readsBack: false, given: async () => ({ amount: 1 }) },
  { path: 'orders.place', by: 'user', readsBack: false, given: async (stocked) => cart(stocked) },
  { path: 'orders.checkout', by: 'user', readsBack: true, given: async (stocked) => cart(stocked) },
  { path: 'payments.pay', by: 'user', readsBack: true, given: placed },
  { path: 'orders.cancel', by: 'user', readsBack: true, given: placed },
  { path: 'payments.refund', by: 'admin', readsBack: false, given: paid },
  {
    path: 'products.restock',
    by: 'admin',
    readsBack: false,
    given: async ({ product }) => ({ productId: product.id, quantity: 1 }),
  },
  { path: 'products.create', by: 'admin', readsBack: false, given: async ({ product }) => newProduct(product) },
  {
    path: 'products.update',
    by: 'admin',
    readsBack: false,
    given: async (stocked) => ({ ...(await created(stocked)), name: newKey() }),
  },
  { path: 'products.remove', by: 'admin', readsBack: false, given: created },
  { path: 'users.create', by: 'admin', readsBack: false, given: async () => ({ name: newKey() }) },
  {
    path: 'users.remove',
    by: 'admin',
    readsBack: false,
    given: async ({ shop }) => ({ userId: (await shop.asAdmin().users.create({ name: newKey() })).id }),
  },
  { path: 'stores.create', by: 'admin', readsBack: false, given: async () => ({ name: newKey() }) },
]
