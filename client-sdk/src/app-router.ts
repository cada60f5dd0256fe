import type { inferRouterInputs, inferRouterOutputs } from '@trpc/server'
import type { contract } from './contract.ts'

/** The type of the server's router, for tools that take a tRPC router. It exists as a type only. */
export type AppRouter = typeof contract

/** The inputs of every procedure: `RouterInputs['orders']['place']`. */
export type RouterInputs = inferRouterInputs<AppRouter>

/** The outputs of every procedure: `RouterOutputs['points']['balance']`. */
export type RouterOutputs = inferRouterOutputs<AppRouter>

/** A product with its current price and stock. */
export type Product = RouterOutputs['products']['get']

/** An order, with the product names and prices of the moment it was placed. */
export type Order = RouterOutputs['orders']['get']

/** The payment of an order. */
export type Payment = RouterOutputs['payments']['get']

type EventData<Output> = Output extends AsyncIterable<{ data: infer Data }> ? Data : never

/** A change of one of the user's orders, received from `client.orders.onChange`. */
export type OrderChange = EventData<RouterOutputs['orders']['onChange']>

/** A change of the user's balance, received from `client.points.onChange`. */
export type PointsChange = EventData<RouterOutputs['points']['onChange']>

/** A change of the stock or the price of products, received from `client.products.onStock`. */
export type StockChange = EventData<RouterOutputs['products']['onStock']>
