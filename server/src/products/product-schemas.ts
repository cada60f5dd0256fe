import { z } from 'zod'
import { id, price } from '../rpc/schemas.ts'

export const PAGE_SIZE = 20
/** How many products the ranking of all time has at most. */
export const TOP_SELLING_MAX = 10
/** How many products the ranking of the last three days has at most. */
export const TRENDING_MAX = 5

const rank = z.int().min(1)

export const product = z
  .object({
    id,
    storeId: id,
    storeName: z.string(),
    name: z.string(),
    price,
    stock: z.int().min(0),
    salesVolume: z.int().min(0),
    createdAt: z.date(),
  })
  .meta({ id: 'Product' })
export type Product = z.output<typeof product>

export const productPage = z.object({
  items: z.array(product),
  page: z.int(),
  pageSize: z.literal(PAGE_SIZE),
  totalItems: z.int(),
  totalPages: z.int(),
})
export type ProductPage = z.output<typeof productPage>

export const topSelling = z.array(z.object({ rank, salesVolume: z.int(), product })).max(TOP_SELLING_MAX)
export type TopSelling = z.output<typeof topSelling>

export const trending = z.object({
  items: z.array(z.object({ rank, soldCount: z.int(), product })).max(TRENDING_MAX),
  from: z.date(),
  asOf: z.date(),
})
/**
 * The best sellers from `from`, which is the start of the hour of `asOf` less 72 hours, to the end of the hour of `asOf`.
 * `asOf` is the time of the read.
 */
export type Trending = z.output<typeof trending>
