/*
 * A consumer's program. It compiles, except for each line after a @ts-expect-error. The type check of the repository compiles
 * it against the sources; package.long.test.ts compiles it against the published package.
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
/** `true` if a part of the type is `any`. */
type ContainsAny<T> = 0 extends 1 & T
  ? true
  : T extends Date
    ? never
    : T extends readonly (infer Item)[]
      ? ContainsAny<Item>
      : T extends object
        ? { [Key in keyof T]-?: ContainsAny<T[Key]> }[keyof T]
        : never

const assertTrue = <_True extends true>(): void => undefined

assertTrue<Same<ContainsAny<RouterInputs>, never>>()
assertTrue<Same<ContainsAny<RouterOutputs>, never>>()
assertTrue<Same<ContainsAny<Refusal>, never>>()
assertTrue<Same<ContainsAny<{ page: { text?: ReturnType<typeof JSON.parse> }[] | null }>, true>>()

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
  // @ts-expect-error: a query has no mutate()
  await client.products.get.mutate({ productId: 1 })
  // @ts-expect-error: the URL of the server is missing
  createClient({ token: 'secret' })
}

export async function outputs(): Promise<void> {
  const product: Product = await client.products.get.query({ productId: 1 })
  const added: Date = product.createdAt
  const { order, payment, balance } = await client.orders.checkout.mutate({ items: [] })
  const [placed, paid, left]: [Order, Payment, number] = [order, payment, balance]
  const status: 'pending' | 'paid' | 'cancelled' | 'refunded' = placed.status
  const when: Date | null = placed.paidAt
  // @ts-expect-error: paidAt is null until the order is paid
  const always: Date = placed.paidAt
  // @ts-expect-error: there is no such field
  const supplier = product.supplierCost
  void [added, paid, left, status, when, always, supplier]
}

export async function changes(): Promise<void> {
  assertTrue<Same<ContainsAny<OrderChange | PointsChange | StockChange>, never>>()
  for await (const { id, data } of client.orders.onChange.subscribe()) {
    const [last, change]: [string, OrderChange] = [id, data]
    if (data.type === 'placed') return void [last, change, data.totalPrice, data.at.getTime()]
    // @ts-expect-error: only the change `placed` contains the price
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
        | 'not_resumable'
        | 'rate_limited'
        | 'service_busy' = refusalOf(error)?.code ?? 'service_busy'
      void code
    },
  })
  unsubscribe()

  // @ts-expect-error: the product ids are missing
  client.products.onStock.subscribe()
  // @ts-expect-error: a subscription has no query()
  await client.orders.onChange.query()
}

export async function refusals(): Promise<string> {
  const [checkout, error] = await safe(client.orders.checkout.mutate({ items: [] }))
  if (!error) return `paid ${checkout.payment.amount}`

  const httpStatus: number | undefined = error.data?.httpStatus
  const issues: { path: (string | number)[]; message: string }[] | null | undefined = error.data?.issues
  if (error instanceof OutcomeUnknownError) return `${error.path} ${error.idempotencyKey} ${httpStatus} ${issues}`

  const refusal = refusalOf(error)
  if (!refusal) throw error
  // @ts-expect-error: the code is misspelt
  if (refusal.code === 'points_insuficient') return 'never'
  // @ts-expect-error: orders.checkout has no such refusal
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
    case 'deadline_exceeded':
      return `retry after ${refusal.afterMs} ms`
    default:
      return refusal satisfies never
  }
}

export async function missingCase(): Promise<string> {
  const [charge, error] = await safe(client.points.charge.mutate({ amount: 1 }))
  if (!error) return String(charge.balance)
  const refusal = refusalOf(error)
  switch (refusal?.code) {
    case 'token_missing':
    case 'token_invalid':
    case 'user_not_found':
    case 'not_allowed':
    case 'idempotency_key_reused':
    case 'rate_limited':
    case 'service_busy':
    case 'deadline_exceeded':
    case undefined:
      return 'refused'
    default:
      // @ts-expect-error: the case points_limit_exceeded is missing
      return refusal satisfies never
  }
}

export function refusalsOfUnknownErrors(error: unknown): void {
  const refusal: Refusal | null = refusalOf(error)
  const code: RefusalCode | undefined = refusal?.code
  assertTrue<Same<ReturnType<typeof refusalOf<undefined>>, null>>()
  if (isTRPCClientError<AppRouter>(error)) {
    const same: Refusal | null | undefined = error.data?.refusal
    void same
  }
  // @ts-expect-error: there is no such code
  const wrong: RefusalCode = 'points_insuficient'
  // @ts-expect-error: the details depend on the code
  const details = refusal?.balance
  void [code, wrong, details]
}
