import type { Product } from '@pointwise/client-sdk'
import { useQueryClient } from '@tanstack/react-query'
import { createContext, type ReactNode, useContext, useEffect, useState, useSyncExternalStore } from 'react'
import { refreshProducts } from '../queries.ts'
import { useSession } from '../session.tsx'
import { followProducts, lookNowAndThen } from './follow.ts'

type Told = ReadonlyMap<number, Partial<Pick<Product, 'stock' | 'price'>>>

const NOTHING: Told = new Map()
/** What was told since the products were last asked for anew, and what before. */
const ToldContext = createContext({ before: NOTHING, since: NOTHING })

/** A product with the stock and the price that were told last. */
export function useCurrent(product: Product): Product {
  const { before, since } = useContext(ToldContext)
  return { ...product, ...before.get(product.id), ...since.get(product.id) }
}

interface LiveProductsProps {
  /** Those that are shown, once it is known which. */
  productIds: number[]
  children: ReactNode
}

/**
 * Follows stock and price of the products within, while somebody looks. What is told lies over what was read, till
 * an answer has come that was asked for afterwards: one that was under way meanwhile may be older.
 */
export function LiveProducts({ productIds, children }: LiveProductsProps) {
  const { client } = useSession()
  const cache = useQueryClient()
  const [told, setTold] = useState({ before: NOTHING, since: NOTHING })
  const isSeen = useSyncExternalStore(onVisibilityChange, () => document.visibilityState === 'visible')
  const followed = [...new Set(productIds)].toSorted((a, b) => a - b).join()
  useEffect(() => {
    if (!isSeen || !followed) return
    const stopping = new AbortController()
    const { signal } = stopping
    const refresh = () => {
      setTold(({ before, since }) => ({ before: laidOver(before, since), since: NOTHING }))
      refreshProducts(cache, { throwOnError: true }).then(
        () => setTold(({ since }) => ({ before: NOTHING, since })),
        () => undefined,
      )
    }
    void followProducts(client, followed.split(',').map(Number), {
      signal,
      onStarted: refresh,
      onChange({ type, products }) {
        const news: Told = new Map(
          products.map(({ productId, stock, price }) => [productId, { stock, ...(price !== null && { price }) }]),
        )
        setTold(({ before, since }) => ({ before, since: laidOver(since, news) }))
        // Its name may be another one, or it has left the shop.
        if (type === 'changed' || type === 'removed') void refreshProducts(cache)
      },
    }).then(() => lookNowAndThen(signal, refresh))
    return () => stopping.abort()
  }, [cache, client, followed, isSeen])
  return <ToldContext value={told}>{children}</ToldContext>
}

function laidOver(told: Told, news: Told): Told {
  const all = new Map(told)
  for (const [productId, its] of news) all.set(productId, { ...all.get(productId), ...its })
  return all
}

function onVisibilityChange(changed: () => void): () => void {
  document.addEventListener('visibilitychange', changed)
  return () => document.removeEventListener('visibilitychange', changed)
}
