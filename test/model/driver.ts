import { randomUUID } from 'node:crypto'
import {
  type Order as OrderAnswer,
  type Product as ProductAnswer,
  type RouterInputs,
  refusalOf,
} from '@pointwise/client-sdk'
import { emptyTables, run } from '../setup/database.ts'
import type { Client, Shop } from '../setup/shop.ts'
import {
  type Answer,
  type Call,
  MISSING_ORDER,
  nameOf,
  PRODUCTS,
  type Product,
  type User,
  type World,
} from './world.ts'

/** The id of no row. */
const MISSING_ID = 999_999_999

type Placing = Extract<Call, { does: 'place' | 'checkout' }>

/** Makes the model's calls with the SDK on a shop of its own, and tells what comes of them in the model's words. */
export class Driver {
  readonly #admin: Client
  readonly #clients: Record<User, Client>
  readonly #productIds: Record<Product, number>
  readonly #orderIds = new Map<string, number>()
  readonly #historyIds = new Map<string, number>()
  readonly #keys = new Map<number, string>()

  private constructor(admin: Client, clients: Record<User, Client>, productIds: Record<Product, number>) {
    this.#admin = admin
    this.#clients = clients
    this.#productIds = productIds
  }

  /** Empties the shop, and makes it that of a world in which nothing was ordered. */
  static async open(shop: Shop, admin: Client, { balances, products }: World): Promise<Driver> {
    await emptyTables(shop.db)
    const { id: storeId } = await shop.asAdmin().stores.create({ name: 'Corner' })
    const given = (name: Product) => shop.givenProduct({ name, storeId, ...products[name] })
    const [Ada, Ben, { tea, mug, cup }] = await Promise.all([
      shop.givenUser({ name: 'Ada', points: balances.Ada }),
      shop.givenUser({ name: 'Ben', points: balances.Ben }),
      // One after the other, so that their ids ascend.
      (async () => ({ tea: await given('tea'), mug: await given('mug'), cup: await given('cup') }))(),
    ])
    const clients = { Ada: Ada.client, Ben: Ben.client }
    return new Driver(admin, clients, { tea: tea.id, mug: mug.id, cup: cup.id })
  }

  async make(call: Call): Promise<Answer> {
    try {
      return await this.#send(call)
    } catch (error) {
      const refusal = refusalOf(error)
      if (!refusal) throw error
      const { retry: _, ...told } = refusal
      return { refused: this.#named(told) }
    }
  }

  async #send(call: Call): Promise<Answer> {
    switch (call.does) {
      case 'charge': {
        const { historyId, ...answer } = await this.#clients[call.user].points.charge.mutate({
          amount: call.amount,
          idempotencyKey: this.#key(call),
        })
        const first = this.#historyIds.get(`${call.user} ${call.key}`) ?? historyId
        this.#historyIds.set(`${call.user} ${call.key}`, first)
        return { ...answer, ...(first !== historyId && { historyId }) }
      }
      case 'place': {
        const { replayed, ...order } = await this.#clients[call.user].orders.place.mutate(this.#input(call))
        return { ...this.#placed(call, order), replayed }
      }
      case 'checkout': {
        const { order, payment, balance, replayed } = await this.#clients[call.user].orders.checkout.mutate(
          this.#input(call),
        )
        const { orderId, amount: paid } = payment
        return { ...this.#placed(call, order), order: this.#orderName(orderId), paid, balance, replayed }
      }
      case 'pay': {
        const { payment, balance, replayed } = await this.#clients[call.user].payments.pay.mutate(this.#order(call))
        return { order: this.#orderName(payment.orderId), paid: payment.amount, balance, replayed }
      }
      case 'cancel':
        return this.#shown(await this.#clients[call.user].orders.cancel.mutate(this.#order(call)))
      case 'refund': {
        const { orderId, amount, replayed } = await this.#admin.payments.refund.mutate(this.#order(call))
        return { order: this.#orderName(orderId), returned: amount, replayed }
      }
      case 'restock': {
        const { quantity } = call
        const idempotencyKey = this.#key(call)
        const productId = this.#productIds[call.product]
        return this.#product(await this.#admin.products.restock.mutate({ productId, quantity, idempotencyKey }))
      }
      case 'reprice': {
        const productId = this.#productIds[call.product]
        return this.#product(await this.#admin.products.update.mutate({ productId, price: call.price }))
      }
      case 'remove':
        return this.#product(await this.#admin.products.remove.mutate({ productId: this.#productIds[call.product] }))
      case 'look at the balance': {
        const { balance } = await this.#clients[call.user].points.balance.query()
        return { balance }
      }
      case 'look at the product':
        return this.#product(await this.#admin.products.get.query({ productId: this.#productIds[call.product] }))
    }
  }

  /** What the tables say in the end, as far as the model knows it. */
  async read(shop: Shop) {
    const wallets = await run<{ name: User; balance: number }>(
      shop.db,
      'select name, point as balance from users join points on user_id = users.id',
    )
    const products = await run<World['products'][Product] & { name: Product }>(
      shop.db,
      `select name, price, stock, sales_volume as sold, deleted_at is not null as removed
      from products join stock on product_id = products.id`,
    )
    const orders = await run<{ id: number; status: string }>(shop.db, 'select id, status from orders')
    return {
      balances: Object.fromEntries(wallets.map(({ name, balance }) => [name, balance])),
      products: Object.fromEntries(
        products.map(({ name, removed, ...product }) => [name, { ...product, removed: Boolean(removed) }]),
      ),
      orders: Object.fromEntries(orders.map(({ id, status }) => [this.#orderName(id), status])),
    }
  }

  #key({ key }: { key: number }): string {
    const known = this.#keys.get(key) ?? randomUUID()
    this.#keys.set(key, known)
    return known
  }

  #order({ order }: { order: string }): { orderId: number } {
    return { orderId: this.#orderIds.get(order) ?? MISSING_ID }
  }

  #input(call: Placing): RouterInputs['orders']['place'] {
    const items = call.items.map(({ product, ...item }) => ({ productId: this.#productIds[product], ...item }))
    return { items, idempotencyKey: this.#key(call) }
  }

  /** The first answer gives a key's order its name; a second order would have none. */
  #placed(call: Placing, order: OrderAnswer): Answer {
    const name = nameOf(call)
    this.#orderIds.set(name, this.#orderIds.get(name) ?? order.id)
    return this.#shown(order)
  }

  #shown({ id, items, totalPrice, status }: OrderAnswer): Answer {
    const lines = items.map(({ productId, quantity, price }) => ({
      product: this.#productName(productId),
      quantity,
      price,
    }))
    return { order: this.#orderName(id), items: lines, total: totalPrice, status }
  }

  #product({ id, price, stock, salesVolume }: ProductAnswer): Answer {
    return { product: this.#productName(id), price, stock, sold: salesVolume }
  }

  #named({ productId, orderId, ...rest }: Answer): Answer {
    return {
      ...rest,
      ...(productId !== undefined && { product: this.#productName(Number(productId)) }),
      ...(orderId !== undefined && { order: this.#orderName(Number(orderId)) }),
    }
  }

  #productName(id: number): string {
    return PRODUCTS.find((name) => this.#productIds[name] === id) ?? `product ${id}`
  }

  #orderName(id: number): string {
    return [...this.#orderIds].find(([, known]) => known === id)?.[0] ?? MISSING_ORDER
  }
}
