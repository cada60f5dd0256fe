import type { Order } from '@pointwise/client-sdk'
import { type InvalidateOptions, infiniteQueryOptions, type QueryClient, queryOptions } from '@tanstack/react-query'
import type { Client } from './api-client.ts'

export type OrderStatus = Order['status']

const PAGE_SIZE = 10

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
    queryKey: ['user', userId, 'balance'],
    queryFn: ({ signal }) => client.points.balance.query(undefined, { signal }),
  })

export const histories = (client: Client, userId: number) =>
  infiniteQueryOptions({
    queryKey: ['user', userId, 'histories'],
    queryFn: ({ pageParam, signal }) =>
      client.points.histories.query({ limit: PAGE_SIZE, ...(pageParam && { cursor: pageParam }) }, { signal }),
    initialPageParam: '',
    getNextPageParam: ({ nextCursor }) => nextCursor,
  })

export const orders = (client: Client, userId: number, status?: OrderStatus) =>
  infiniteQueryOptions({
    queryKey: ['user', userId, 'orders', status],
    queryFn: ({ pageParam, signal }) =>
      client.orders.list.query(
        { limit: PAGE_SIZE, ...(status && { status }), ...(pageParam && { cursor: pageParam }) },
        { signal },
      ),
    initialPageParam: '',
    getNextPageParam: ({ nextCursor }) => nextCursor,
  })

/** Refetches the visible data of a user, or of all users. */
export const refreshUser = (cache: QueryClient, userId?: number) =>
  cache.invalidateQueries({ queryKey: userId === undefined ? ['user'] : ['user', userId] })

/** Refetches the visible data of products. */
export const refreshProducts = (cache: QueryClient, options?: InvalidateOptions) =>
  cache.invalidateQueries({ queryKey: ['products'] }, options)
