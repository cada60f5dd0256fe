/*
 * A consumer, seen by the compiler: what stands here compiles, and each line after a @ts-expect-error does not.
 * It is checked here against the source, and from a folder elsewhere against the package (package.test.ts).
 */
import {
  type AppRouter,
  createClient,
  isTRPCClientError,
  type Order,
  type OrderChange,
  OutcomeUnknownError,
  type Payment,
  type PointsChange,
  type Product,
  type Refusal,
  type RefusalCode,
  type RouterInputs,
  type RouterOutputs,
  refusalOf,
  type StockChange,
  safe,
  type TRPCClient,
} from '@pointwise/client-sdk'

type Same<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false
/** `true` if some part of a type was left open. */
type Open<T> = 0 extends 1 & T
  ? true
  : T extends Date
    ? never
    : T extends readonly (infer Item)[]
      ? Open<Item>
      : T extends object
        ? { [Key in keyof T]-?: Open<T[Key]> }[keyof T]
        : never

const holds = <_True extends true>(): void => undefined

holds<Same<Open<RouterInputs>, never>>()
holds<Same<Open<RouterOutputs>, never>>()
holds<Same<Open<Refusal>, never>>()
holds<Same<Open<{ page: { text?: ReturnType<typeof JSON.parse> }[] | null }>, true>>()

const client: TRPCClient<AppRouter> = createClient({ url: 'https://shop.example', token: async () => undefined })

export async function inputs(): Promise<void> {
  await client.products.list.query()
  await client.products.list.query({ page: 2, storeId: 1 })
  await client.points.charge.mutate({ amount: 100 })
  await client.points.charge.mutate({ amount: 100, idempotencyKey: '6f1c3c1e-64a1-4b3f-9b52-0d8c5a2f8d11' })
  await client.orders.place.mutate({ items: [{ productId: 1, quantity: 1, price: 100 }] })

  // @ts-expect-error: an amount is a number
  await client.points.charge.mutate({ amount: '100' })
  // @ts-expect-error: the input is missing
  await client.points.charge.mutate()
  // @ts-expect-error: there is no such field
  await client.points.charge.mutate({ amount: 100, currency: 'EUR' })
  // @ts-expect-error: the price that the customer saw is missing
  await client.orders.place.mutate({ items: [{ productId: 1, quantity: 1 }] })
  // @ts-expect-error: there is no such status
  await client.orders.list.query({ status: 'payed' })
  // @ts-expect-error: there is no such procedure
  await client.points.discharge.mutate({ amount: 100 })
  // @ts-expect-error: a query is not mutated
  await client.products.get.mutate({ productId: 1 })
  // @ts-expect-error: a client needs to know where the server is
  createClient({ token: 'secret' })
}

export async function answers(): Promise<void> {
  const product: Product = await client.products.get.query({ productId: 1 })
  const added: Date = product.createdAt
  const { order, payment, balance } = await client.orders.checkout.mutate({ items: [] })
  const [placed, paid, left]: [Order, Payment, number] = [order, payment, balance]
  const status: 'pending' | 'paid' | 'cancelled' | 'refunded' = placed.status
  const when: Date | null = placed.paidAt
  // @ts-expect-error: an order that is not paid yet has no time of payment
  const always: Date = placed.paidAt
  // @ts-expect-error: there is no such field
  const supplier = product.supplierCost
  void [added, paid, left, status, when, always, supplier]
}

export async function changes(): Promise<void> {
  holds<Same<Open<OrderChange | PointsChange | StockChange>, never>>()
  for await (const { id, data } of client.orders.onChange.subscribe()) {
    const [last, change]: [string, OrderChange] = [id, data]
    if (data.type === 'placed') return void [last, change, data.totalPrice, data.at.getTime()]
    // @ts-expect-error: only an order that is placed tells its price
    void data.totalPrice
    // @ts-expect-error: there is no such change
    if (data.type === 'payed') return
  }
  for await (const { data } of client.points.onChange.subscribe({ lastEventId: '7' })) {
    const [type, balance]: ['charged' | 'paid' | 'refunded', number] = [data.type, data.balance]
    void [type, balance]
  }
  for await (const { data } of client.products.onStock.subscribe({ productIds: [1] })) {
    const left: { productId: number; stock: number; price: number | null }[] = data.products
    void left
  }
  const { unsubscribe } = client.orders.onChange.subscribe(undefined, {
    onData: ({ data }) => void data.orderId,
    onError: (error) => {
      const code:
        | 'token_missing'
        | 'token_invalid'
        | 'user_not_found'
        | 'not_allowed'
        | 'rate_limited'
        | 'service_busy' = refusalOf(error)?.code ?? 'service_busy'
      void code
    },
  })
  unsubscribe()

  // @ts-expect-error: the products are missing
  client.products.onStock.subscribe()
  // @ts-expect-error: a subscription is no query
  await client.orders.onChange.query()
}

export async function refusals(): Promise<string> {
  const [answer, error] = await safe(client.orders.checkout.mutate({ items: [] }))
  if (!error) return `paid ${answer.payment.amount}`

  const httpStatus: number | undefined = error.data?.httpStatus
  const issues: { path: (string | number)[]; message: string }[] | null | undefined = error.data?.issues
  if (error instanceof OutcomeUnknownError) return `${error.path} ${error.idempotencyKey} ${httpStatus} ${issues}`

  const refusal = refusalOf(error)
  if (!refusal) throw error
  // @ts-expect-error: the code is misspelt
  if (refusal.code === 'points_insuficient') return 'never'
  // @ts-expect-error: a checkout cannot be refused with this
  if (refusal.code === 'order_not_refundable') return 'never'

  switch (refusal.code) {
    case 'points_insufficient':
      return `${refusal.required - refusal.balance} points short`
    case 'price_changed':
      return `${refusal.productId}: ${refusal.expected}, now ${refusal.actual}`
    case 'stock_insufficient':
      return `${refusal.productId}: ${refusal.available} left`
    case 'product_not_found':
      // @ts-expect-error: this refusal has no such detail
      return `${refusal.productId}: ${refusal.available} left`
    case 'token_missing':
    case 'token_invalid':
    case 'user_not_found':
    case 'not_allowed':
    case 'idempotency_key_reused':
      return refusal.code
    case 'rate_limited':
    case 'service_busy':
      return `again after ${refusal.afterMs} ms`
    default:
      return refusal satisfies never
  }
}

export async function missingCase(): Promise<string> {
  const [answer, error] = await safe(client.points.charge.mutate({ amount: 1 }))
  if (!error) return String(answer.balance)
  const refusal = refusalOf(error)
  switch (refusal?.code) {
    case 'token_missing':
    case 'token_invalid':
    case 'user_not_found':
    case 'not_allowed':
    case 'idempotency_key_reused':
    case 'rate_limited':
    case 'service_busy':
    case undefined:
      return 'no'
    default:
      // @ts-expect-error: points_limit_exceeded is not dealt with
      return refusal satisfies never
  }
}

export function refusalsOfUnknownOrigin(error: unknown): void {
  const refusal: Refusal | null = refusalOf(error)
  const code: RefusalCode | undefined = refusal?.code
  holds<Same<ReturnType<typeof refusalOf<undefined>>, null>>()
  if (isTRPCClientError<AppRouter>(error)) {
    const same: Refusal | null | undefined = error.data?.refusal
    void same
  }
  // @ts-expect-error: there is no such code
  const wrong: RefusalCode = 'points_insuficient'
  // @ts-expect-error: without looking at the code there are no details
  const details = refusal?.balance
  void [code, wrong, details]
}
