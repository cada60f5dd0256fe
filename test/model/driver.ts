import { randomUUID } from 'node:crypto'
import {
  type Order as OrderOutput,
  type Product as ProductOutput,
  type RouterInputs,
  refusalOf,
} from '@pointwise/client-sdk'
import { emptyTables, run } from '../setup/database.ts'
import type { Client, Shop } from '../setup/shop.ts'
import {
  type Call,
  MISSING_ORDER,
  orderName,
  PRODUCTS,
  type Product,
  type Result,
  type ShopState,
  type User,
} from './shop-state.ts'

/** An id that no row has. */
const MISSING_ID = 999_999_999

type OrderCall = Extract<Call, { type: 'place' | 'checkout' }>

/** Runs the model's calls on a shop with the SDK, and returns the results in the model's terms: names in place of ids. */
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

  /** Empties the shop and fills it with the users and products of a state without orders. */
  static async create(shop: Shop, admin: Client, { balances, products }: ShopState): Promise<Driver> {
    await emptyTables(shop.db)
    const { id: storeId } = await shop.asAdmin().stores.create({ name: 'Corner' })
    const createProduct = (name: Product) => shop.givenProduct({ name, storeId, ...products[name] })
    const [Ada, Ben, { tea, mug, cup }] = await Promise.all([
      shop.givenUser({ name: 'Ada', points: balances.Ada }),
      shop.givenUser({ name: 'Ben', points: balances.Ben }),
      // Created in sequence, so that their ids ascend.
      (async () => ({
        tea: await createProduct('tea'),
        mug: await createProduct('mug'),
        cup: await createProduct('cup'),
      }))(),
    ])
    const clients = { Ada: Ada.client, Ben: Ben.client }
    return new Driver(admin, clients, { tea: tea.id, mug: mug.id, cup: cup.id })
  }

  async run(call: Call): Promise<Result> {
    try {
      return await this.#send(call)
    } catch (error) {
      const refusal = refusalOf(error)
      if (!refusal) throw error
      const { retry: _, ...fields } = refusal
      return { refused: this.#withNames(fields) }
    }
  }

  async #send(call: Call): Promise<Result> {
    switch (call.type) {
      case 'charge': {
        const { historyId, ...output } = await this.#clients[call.user].points.charge.mutate({
          amount: call.amount,
          idempotencyKey: this.#idempotencyKey(call),
        })
        const first = this.#historyIds.get(`${call.user} ${call.key}`) ?? historyId
        this.#historyIds.set(`${call.user} ${call.key}`, first)
        return { ...output, ...(first !== historyId && { historyId }) }
      }
      case 'place': {
        const { replayed, ...order } = await this.#clients[call.user].orders.place.mutate(this.#placeInput(call))
        return { ...this.#createdOrder(call, order), replayed }
      }
      case 'checkout': {
        const { order, payment, balance, replayed } = await this.#clients[call.user].orders.checkout.mutate(
          this.#placeInput(call),
        )
        const { orderId, amount: paid } = payment
        return { ...this.#createdOrder(call, order), order: this.#orderName(orderId), paid, balance, replayed }
      }
      case 'pay': {
        const { payment, balance, replayed } = await this.#clients[call.user].payments.pay.mutate(
          this.#orderInput(call),
        )
        return { order: this.#orderName(payment.orderId), paid: payment.amount, balance, replayed }
      }
      case 'cancel':
        return this.#orderResult(await this.#clients[call.user].orders.cancel.mutate(this.#orderInput(call)))
      case 'refund': {
        const { orderId, amount, replayed } = await this.#admin.payments.refund.mutate(this.#orderInput(call))
        return { order: this.#orderName(orderId), returned: amount, replayed }
      }
      case 'restock': {
        const { quantity } = call
        const idempotencyKey = this.#idempotencyKey(call)
        const productId = this.#productIds[call.product]
        return this.#productResult(await this.#admin.products.restock.mutate({ productId, quantity, idempotencyKey }))
      }
      case 'reprice': {
        const productId = this.#productIds[call.product]
        return this.#productResult(await this.#admin.products.update.mutate({ productId, price: call.price }))
      }
      case 'remove':
        return this.#productResult(
          await this.#admin.products.remove.mutate({ productId: this.#productIds[call.product] }),
        )
      case 'get balance': {
        const { balance } = await this.#clients[call.user].points.balance.query()
        return { balance }
      }
      case 'get product':
        return this.#productResult(await this.#admin.products.get.query({ productId: this.#productIds[call.product] }))
    }
  }

  /** The part of the tables that the model covers. */
  async readTables(shop: Shop) {
    const wallets = await run<{ name: User; balance: number }>(
      shop.db,
      'select name, point as balance from users join points on user_id = users.id',
    )
    const products = await run<ShopState['products'][Product] & { name: Product }>(
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

  #idempotencyKey({ key }: { key: number }): string {
    const uuid = this.#keys.get(key) ?? randomUUID()
    this.#keys.set(key, uuid)
    return uuid
  }

  #orderInput({ order }: { order: string }): { orderId: number } {
    return { orderId: this.#orderIds.get(order) ?? MISSING_ID }
  }

  #placeInput(call: OrderCall): RouterInputs['orders']['place'] {
    const items = call.items.map(({ product, ...item }) => ({ productId: this.#productIds[product], ...item }))
    return { items, idempotencyKey: this.#idempotencyKey(call) }
  }

  /** Names the order after its key. A second order for the same key gets no name, so that its result differs. */
  #createdOrder(call: OrderCall, order: OrderOutput): Result {
    const name = orderName(call)
    this.#orderIds.set(name, this.#orderIds.get(name) ?? order.id)
    return this.#orderResult(order)
  }

  #orderResult({ id, items, totalPrice, status }: OrderOutput): Result {
    const lines = items.map(({ productId, quantity, price }) => ({
      product: this.#productName(productId),
      quantity,
      price,
    }))
    return { order: this.#orderName(id), items: lines, total: totalPrice, status }
  }

  #productResult({ id, price, stock, salesVolume }: ProductOutput): Result {
    return { product: this.#productName(id), price, stock, sold: salesVolume }
  }

  #withNames({ productId, orderId, ...rest }: Result): Result {
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
    return [...this.#orderIds].find(([, each]) => each === id)?.[0] ?? MISSING_ORDER
  }
}
