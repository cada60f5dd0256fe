import { z } from 'zod'
import { productTopic } from '../outbox/topics.ts'
import { cursor } from '../rpc/cursor.ts'
import { router } from '../rpc/init.ts'
import { nameUpTo } from '../rpc/names.ts'
import { adminProcedure, MUTATION_REFUSALS, publicProcedure } from '../rpc/procedures.ts'
import { INT_MAX, id, idempotencyKey, keysetPage, limit, newestFirst, price, wholeNumber } from '../rpc/schemas.ts'
import { changeStream, lastEventId, subscribe } from '../rpc/subscription.ts'
import * as examples from './examples.ts'
import { product, productPage, topSelling, trending } from './product-schemas.ts'
import * as products from './service.ts'
import { stockChange, stockChanges } from './stock-changes.ts'

const RESTOCK_MAX = 1_000_000
const FOLLOWED_MAX = 100

const name = nameUpTo(200)

export const productsRouter = router({
  list: publicProcedure('store_not_found')
    .meta({
      description: 'Returns a page of the products of all stores or of one store. A page after the last one is empty.',
      example: examples.list,
    })
    .input(z.strictObject({ page: wholeNumber.min(1).max(INT_MAX).default(1), storeId: id.optional() }).prefault({}))
    .output(newestFirst(productPage))
    .query(({ ctx, input }) => products.list(ctx, input)),

  scroll: publicProcedure('store_not_found')
    .meta({
      description:
        'Returns the products after a cursor. Products that are added in the meantime do not shift the pages.',
      example: examples.scroll,
    })
    .input(z.strictObject({ cursor: cursor.optional(), limit, storeId: id.optional() }).prefault({}))
    .output(newestFirst(keysetPage(product)))
    .query(({ ctx, input }) => products.scroll(ctx, input)),

  get: publicProcedure('product_not_found')
    .meta({ description: 'Returns the current state of a product.', example: examples.get })
    .input(z.strictObject({ productId: id }))
    .output(product)
    .query(({ ctx, input }) => products.get(ctx.db, input.productId)),

  topSelling: publicProcedure()
    .meta({ description: 'Returns the ten best-selling products of all time.', example: examples.topSelling })
    .output(topSelling)
    .query(({ ctx }) => ctx.productListCache.topSelling()),

  trending: publicProcedure()
    .meta({
      description:
        'Returns the five best-selling products of the last 72 hours, in whole hours. Sales that are dated in a later hour are ' +
        'not counted. The result can be some seconds old.',
      example: examples.trending,
    })
    .output(trending)
    .query(({ ctx }) => ctx.productListCache.trending()),

  create: adminProcedure(...MUTATION_REFUSALS, 'store_not_found')
    .meta({ description: 'Adds a product to a store, with its initial stock.', example: examples.create })
    .input(z.strictObject({ storeId: id, name, price, stock: wholeNumber.min(0).max(INT_MAX) }))
    .output(product)
    .mutation(({ ctx, input }) =>
      ctx.transact((tx) => products.create(tx, { ...input, now: ctx.now(), traceparent: ctx.traceparent }), {
        onEnd: () => ctx.productListCache.productAdded(),
      }),
    ),

  update: adminProcedure(...MUTATION_REFUSALS, 'product_not_found')
    .meta({
      description:
        'Changes the name or the price of a product. Existing orders keep the name and the price of the time of the order.',
      example: examples.update,
    })
    .input(z.strictObject({ productId: id, name: name.optional(), price: price.optional() }))
    .output(product)
    .mutation(({ ctx, input }) =>
      ctx.transact((tx) => products.update(tx, { ...input, now: ctx.now(), traceparent: ctx.traceparent }), {
        onEnd: () => ctx.productListCache.productChanged(input.productId),
      }),
    ),

  remove: adminProcedure(...MUTATION_REFUSALS, 'product_not_found')
    .meta({
      description: 'Removes a product from sale. Existing orders of the product can still be paid.',
      example: examples.remove,
    })
    .input(z.strictObject({ productId: id }))
    .output(product)
    .mutation(({ ctx, input }) =>
      ctx.transact((tx) => products.remove(tx, { ...input, now: ctx.now(), traceparent: ctx.traceparent }), {
        onEnd: () => ctx.productListCache.productRemoved(input.productId),
      }),
    ),

  restock: adminProcedure(...MUTATION_REFUSALS, 'product_not_found', 'idempotency_key_reused', 'stock_insufficient')
    .meta({
      description: 'Adds to the stock of a product. A negative quantity reduces the stock.',
      example: examples.restock,
    })
    .input(
      z.strictObject({
        productId: id,
        quantity: z
          .int()
          .min(-RESTOCK_MAX)
          .max(RESTOCK_MAX)
          .refine((quantity) => quantity !== 0, 'must not be 0')
          .meta({ not: { const: 0 } }),
        idempotencyKey,
      }),
    )
    .output(product)
    .mutation(({ ctx, input }) =>
      ctx.transact((tx) => products.restock(tx, { ...input, now: ctx.now(), traceparent: ctx.traceparent })),
    ),

  onStock: publicProcedure('product_not_found', 'not_resumable')
    .meta({ description: 'Streams the changes of the stock and the price of products.', example: examples.onStock })
    .input(z.strictObject({ productIds: z.array(id).min(1).max(FOLLOWED_MAX), lastEventId }))
    .output(changeStream(stockChange))
    .subscription(async (call) => {
      const { productIds, lastEventId } = call.input
      // A client that reconnects may still have to receive the removal of one of the products.
      if (lastEventId == null) await products.requireListed(call.ctx.db, productIds)
      return subscribe(call, { topics: productIds.map(productTopic), changeOf: stockChanges(productIds) })
    }),
})
