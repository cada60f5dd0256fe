import type { Product } from '@pointwise/client-sdk'
import { useQueryClient } from '@tanstack/react-query'
import { createContext, type ReactNode, useContext, useEffect, useState, useSyncExternalStore } from 'react'
import { refreshProducts } from '../queries.ts'
import { useSession } from '../session.tsx'
import { followProducts, lookNowAndThen } from './follow.ts'

type Told = Pick<Product, 'stock' | 'price'>

const NOTHING: ReadonlyMap<number, Partial<Told>> = new Map()
const ToldContext = createContext(NOTHING)

/** A product with the stock and the price that were told last. */
export function useCurrent(product: Product): Product {
  return { ...product, ...useContext(ToldContext).get(product.id) }
}

interface LiveProductsProps {
  /** Those that are shown, once it is known which. */
  productIds: number[]
  children: ReactNode
}

/**
 * Follows stock and price of the products within, while somebody looks. What is told lies over what was read: an answer
 * that was under way meanwhile may be older.
 */
export function LiveProducts({ productIds, children }: LiveProductsProps) {
  const { client } = useSession()
  const cache = useQueryClient()
  const [told, setTold] = useState(NOTHING)
  const isSeen = useSyncExternalStore(onVisibilityChange, () => document.visibilityState === 'visible')
  const followed = [...new Set(productIds)].toSorted((a, b) => a - b).join()
  useEffect(() => {
    if (!isSeen || !followed) return
    const stopping = new AbortController()
    const { signal } = stopping
    const refresh = () => {
      setTold(NOTHING)
      refreshProducts(cache)
    }
    followProducts(client, followed.split(',').map(Number), {
      signal,
      onStarted: refresh,
      onChange({ type, products }) {
        setTold((before) => {
          const after = new Map(before)
          for (const { productId, stock, price } of products) {
            after.set(productId, { ...after.get(productId), stock, ...(price !== null && { price }) })
          }
          return after
        })
        // Its name may be another one, or it has left the shop.
        if (type === 'changed' || type === 'removed') refreshProducts(cache)
      },
    }).then(() => {
      if (!signal.aborted) setTold(NOTHING)
      return lookNowAndThen(signal, refresh)
    })
    return () => stopping.abort()
  }, [cache, client, followed, isSeen])
  return <ToldContext value={told}>{children}</ToldContext>
}

function onVisibilityChange(changed: () => void): () => void {
  document.addEventListener('visibilitychange', changed)
  return () => document.removeEventListener('visibilitychange', changed)
}
