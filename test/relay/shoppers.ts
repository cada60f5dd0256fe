import { type ClientOptions, createClient, OutcomeUnknownError, refusalOf } from '@pointwise/client-sdk'
import { TRPCClientError } from '@trpc/client'
import { type Client, item, newKey, type Product } from '../setup/shop.ts'

const CHARGED_EVERY = 8
const REFUNDED_EVERY = 10
const RESTOCKED_EVERY = 25

/** Repeats a call, which has one effect however often it is made, until its outcome is known. */
async function untilKnown<T>(call: () => Promise<T>): Promise<T> {
  for (;;) {
    try {
      return await call()
    } catch (error) {
      const isUnanswered = error instanceof TRPCClientError && !error.shape
      const mayBeRepeated = error instanceof OutcomeUnknownError || refusalOf(error)?.retry === 'same-key'
      if (!mayBeRepeated && !isUnanswered) throw error
    }
  }
}

export interface ShoppersOptions {
  /** The URLs of the servers. Each attempt of a call goes to the next one. */
  urls: string[]
  /** The tokens of the users. Each user makes one call at a time. */
  tokens: string[]
  adminToken: string
  products: Product[]
}

/** Users who check out without a pause, and sometimes charge points, are refunded, or buy what has just been restocked. */
export class Shoppers {
  /** The number of checkouts that were acknowledged. */
  checkouts = 0
  /** Rejects with the first error that is not a failure of a server, and resolves after `stop`. */
  readonly finished: Promise<unknown>
  readonly #options: ShoppersOptions
  readonly #admin: Client
  #attempts = 0
  #isStopped = false

  constructor(options: ShoppersOptions) {
    this.#options = options
    this.#admin = this.#client(options.adminToken)
    this.finished = Promise.all(options.tokens.map((token, index) => this.#shop(this.#client(token), index)))
    this.finished.catch(() => undefined)
  }

  /** Ends after the calls that are in progress. */
  stop(): void {
    this.#isStopped = true
  }

  #client(token: string): Client {
    const { urls } = this.#options
    const url = urls[0] ?? ''
    const fetchNext: ClientOptions['fetch'] = (input, init) =>
      fetch(String(input).replace(url, urls[this.#attempts++ % urls.length] ?? ''), init)
    return createClient({ url, token, fetch: fetchNext })
  }

  async #shop(client: Client, index: number): Promise<void> {
    for (let made = 1; !this.#isStopped; made++) {
      const products = this.#productsOf(index + made)
      const cart = { items: products.map((product) => item(product)), idempotencyKey: newKey() }
      const { order } = await untilKnown(() => client.orders.checkout.mutate(cart))
      this.checkouts++
      const turn = index + made
      if (turn % CHARGED_EVERY === 0) {
        const charge = { amount: turn, idempotencyKey: newKey() }
        await untilKnown(() => client.points.charge.mutate(charge))
      }
      if (turn % REFUNDED_EVERY === 0) {
        await untilKnown(() => this.#admin.payments.refund.mutate({ orderId: order.id }))
      }
      if (turn % RESTOCKED_EVERY === 0) {
        const [{ id: productId }] = products
        const restock = { productId, quantity: 5, idempotencyKey: newKey() }
        await untilKnown(() => this.#admin.products.restock.mutate(restock))
      }
    }
  }

  /** One or two products. */
  #productsOf(turn: number): [Product, ...Product[]] {
    const { products } = this.#options
    const [first, second] = [products[turn % products.length], products[(turn * 7 + 1) % products.length]]
    if (!first || !second) throw new Error('There are no products.')
    return turn % 2 === 0 || first === second ? [first] : [first, second]
  }
}
