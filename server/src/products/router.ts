import { z } from 'zod'
import { cursor } from '../cursor.ts'
import { adminProcedure, publicProcedure } from '../procedures.ts'
import { INT_MAX, id, idempotencyKey, keysetPage, limit, nameUpTo, price } from '../schemas.ts'
import { refuses, router } from '../trpc.ts'
import * as products from './service.ts'

const RESTOCK_MAX = 1_000_000

const product = z.object({
  id,
  storeId: id,
  storeName: z.string(),
  name: z.string(),
  price,
  stock: z.int().min(0),
  salesVolume: z.int().min(0),
  createdAt: z.date(),
})

const rank = z.int().min(1)
const name = nameUpTo(200)

export const productsRouter = router({
  list: publicProcedure
    .input(z.strictObject({ page: z.int().min(1).max(INT_MAX).default(1), storeId: id.optional() }).prefault({}))
    .concat(refuses('store_not_found'))
    .output(
      z.object({
        items: z.array(product),
        page: z.int(),
        pageSize: z.literal(products.PAGE_SIZE),
        totalItems: z.int(),
        totalPages: z.int(),
      }),
    )
    .query(({ ctx, input }) => products.list(ctx.db, ctx.catalogue, input)),

  scroll: publicProcedure
    .input(z.strictObject({ cursor: cursor.optional(), limit, storeId: id.optional() }).prefault({}))
    .concat(refuses('store_not_found'))
    .output(keysetPage(product))
    .query(({ ctx, input }) => products.scroll(ctx.db, input)),

  get: publicProcedure
    .input(z.strictObject({ productId: id }))
    .concat(refuses('product_not_found'))
    .output(product)
    .query(({ ctx, input }) => products.get(ctx.db, input.productId)),

  topSelling: publicProcedure
    .output(z.array(z.object({ rank, salesVolume: z.int(), product })))
    .query(({ ctx }) => ctx.catalogue.topSelling()),

  trending: publicProcedure
    .output(
      z.object({
        items: z.array(z.object({ rank, soldCount: z.int(), product })),
        from: z.date(),
        asOf: z.date(),
      }),
    )
    .query(({ ctx }) => ctx.catalogue.trending()),

  create: adminProcedure
    .input(z.strictObject({ storeId: id, name, price, stock: z.int().min(0).max(INT_MAX) }))
    .concat(refuses('store_not_found'))
    .output(product)
    .mutation(async ({ ctx, input }) => {
      const created = await ctx.transact((tx) => products.create(tx, { ...input, now: ctx.now() }))
      ctx.catalogue.forgetListing()
      return created
    }),

  update: adminProcedure
    .input(z.strictObject({ productId: id, name: name.optional(), price: price.optional() }))
    .concat(refuses('product_not_found'))
    .output(product)
    .mutation(({ ctx, input }) => ctx.transact((tx) => products.update(tx, { ...input, now: ctx.now() }))),

  remove: adminProcedure
    .input(z.strictObject({ productId: id }))
    .concat(refuses('product_not_found'))
    .output(product)
    .mutation(async ({ ctx, input }) => {
      const removed = await ctx.transact((tx) => products.remove(tx, { ...input, now: ctx.now() }))
      ctx.catalogue.forgetListing()
      return removed
    }),

  restock: adminProcedure
    .input(
      z.strictObject({
        productId: id,
        quantity: z
          .int()
          .min(-RESTOCK_MAX)
          .max(RESTOCK_MAX)
          .refine((quantity) => quantity !== 0, 'must not be 0'),
        idempotencyKey,
      }),
    )
    .concat(refuses('product_not_found', 'idempotency_key_reused', 'stock_insufficient'))
    .output(product)
    .mutation(({ ctx, input }) => ctx.transact((tx) => products.restock(tx, { ...input, now: ctx.now() }))),
})
