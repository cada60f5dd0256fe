import { auditRouter } from './audit/router.ts'
import { orderProcedures } from './orders/router.ts'
import { checkout, paymentsRouter } from './payments/router.ts'
import { pointsRouter } from './points/router.ts'
import { productsRouter } from './products/router.ts'
import { router } from './rpc/init.ts'
import { storesRouter } from './stores/router.ts'
import { usersRouter } from './users/router.ts'

/** All procedures of the server. */
export const appRouter = router({
  users: usersRouter,
  stores: storesRouter,
  products: productsRouter,
  points: pointsRouter,
  orders: router({ ...orderProcedures, checkout }),
  payments: paymentsRouter,
  audit: auditRouter,
})

export type AppRouter = typeof appRouter
