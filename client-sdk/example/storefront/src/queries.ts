import type { Order } from '@pointwise/client-sdk'
import { type InvalidateOptions, infiniteQueryOptions, type QueryClient, queryOptions } from '@tanstack/react-query'
import type { Client } from './server.ts'

export type OrderStatus = Order['status']

const PER_PAGE = 10

export const productList = (client: Client, { number, storeId }: { number: number; storeId?: number | undefined }) =>
  queryOptions({
    queryKey: ['products', 'list', number, storeId],
    queryFn: ({ signal }) => client.products.list.query({ page: number, ...(storeId && { storeId }) }, { signal }),
  })

export const product = (client: Client, productId: number) =>
  queryOptions({
    queryKey: ['products', 'one', productId],
    queryFn: ({ signal }) => client.products.get.query({ productId }, { signal }),
  })

export const bestSellers = (client: Client) =>
  queryOptions({
    queryKey: ['products', 'best sellers'],
    queryFn: ({ signal }) => client.products.topSelling.query(undefined, { signal }),
  })

export const trending = (client: Client) =>
  queryOptions({
    queryKey: ['products', 'trending'],
    queryFn: ({ signal }) => client.products.trending.query(undefined, { signal }),
  })

export const storeList = (client: Client) =>
  queryOptions({
    queryKey: ['stores'],
    queryFn: ({ signal }) => client.stores.list.query(undefined, { signal }),
    staleTime: Number.POSITIVE_INFINITY,
  })

export const balance = (client: Client, userId: number) =>
  queryOptions({
    queryKey: ['of', userId, 'balance'],
    queryFn: ({ signal }) => client.points.balance.query(undefined, { signal }),
  })

export const histories = (client: Client, userId: number) =>
  infiniteQueryOptions({
    queryKey: ['of', userId, 'histories'],
    queryFn: ({ pageParam, signal }) =>
      client.points.histories.query({ limit: PER_PAGE, ...(pageParam && { cursor: pageParam }) }, { signal }),
    initialPageParam: '',
    getNextPageParam: ({ nextCursor }) => nextCursor,
  })

export const orders = (client: Client, userId: number, status?: OrderStatus) =>
  infiniteQueryOptions({
    queryKey: ['of', userId, 'orders', status],
    queryFn: ({ pageParam, signal }) =>
      client.orders.list.query(
        { limit: PER_PAGE, ...(status && { status }), ...(pageParam && { cursor: pageParam }) },
        { signal },
      ),
    initialPageParam: '',
    getNextPageParam: ({ nextCursor }) => nextCursor,
  })

/** Reads anew, of what is on the screen, all that belongs to a user, or to whichever user. */
export const refreshUser = (cache: QueryClient, userId?: number) =>
  cache.invalidateQueries({ queryKey: userId === undefined ? ['of'] : ['of', userId] })

/** Reads anew, of what is on the screen, all that tells of products. */
export const refreshProducts = (cache: QueryClient, options?: InvalidateOptions) =>
  cache.invalidateQueries({ queryKey: ['products'] }, options)
