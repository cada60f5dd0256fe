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
