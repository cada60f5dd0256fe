import type { inferRouterInputs, inferRouterOutputs } from '@trpc/server'
import type { contract } from './contract.ts'

/** The type of everything that can be called, for tools that take a tRPC router; there is no value of it here. */
export type AppRouter = typeof contract

/** What each procedure takes: `RouterInputs['orders']['place']`. */
export type RouterInputs = inferRouterInputs<AppRouter>

/** What each procedure answers: `RouterOutputs['points']['balance']`. */
export type RouterOutputs = inferRouterOutputs<AppRouter>

/** A product as it stands now. */
export type Product = RouterOutputs['products']['get']

/** An order; names and prices are those of the moment it was placed. */
export type Order = RouterOutputs['orders']['get']

/** How an order was paid. */
export type Payment = RouterOutputs['payments']['get']

/** What a subscription tells, one after the other. */
type Told<Output> = Output extends AsyncIterable<{ data: infer Change }> ? Change : never

/** What has happened to one of the user's orders: `client.orders.onChange`. */
export type OrderChange = Told<RouterOutputs['orders']['onChange']>

/** What has happened to the user's balance: `client.points.onChange`. */
export type PointsChange = Told<RouterOutputs['points']['onChange']>

/** What has happened to the stock or the price of products: `client.products.onStock`. */
export type StockChange = Told<RouterOutputs['products']['onStock']>
