import type { Product } from '@pointwise/client-sdk'
import { useQueryClient } from '@tanstack/react-query'
import { createContext, type ReactNode, useContext, useEffect, useState, useSyncExternalStore } from 'react'
import { refreshProducts } from '../queries.ts'
import { useSession } from '../session.tsx'
import { poll, subscribeToProducts } from './subscribe.ts'

type Changes = ReadonlyMap<number, Partial<Pick<Product, 'stock' | 'price'>>>

const NO_CHANGES: Changes = new Map()
/** The changes received since the last refresh of the products was requested, and those received before. */
const ChangesContext = createContext({ before: NO_CHANGES, since: NO_CHANGES })

/** Returns a product with its latest stock and price. */
export function useCurrentProduct(product: Product): Product {
  const { before, since } = useContext(ChangesContext)
  return { ...product, ...before.get(product.id), ...since.get(product.id) }
}

interface ProductSubscriptionProps {
  /** The visible products; empty until they are known. */
  productIds: number[]
  children: ReactNode
}

/**
 * Subscribes to the stock and the price of products while the page is visible. A change overrides the data of queries until a
 * query that was sent after the change has succeeded. A query that was in progress at that time may return older data.
 */
export function ProductSubscription({ productIds, children }: ProductSubscriptionProps) {
  const { client } = useSession()
  const cache = useQueryClient()
  const [changes, setChanges] = useState({ before: NO_CHANGES, since: NO_CHANGES })
  const isVisible = useSyncExternalStore(onVisibilityChange, () => document.visibilityState === 'visible')
  const subscribedIds = [...new Set(productIds)].toSorted((a, b) => a - b).join()
  useEffect(() => {
    if (!isVisible || !subscribedIds) return
    const controller = new AbortController()
    const { signal } = controller
    const refresh = () => {
      setChanges(({ before, since }) => ({ before: merge(before, since), since: NO_CHANGES }))
      refreshProducts(cache, { throwOnError: true }).then(
        () => setChanges(({ since }) => ({ before: NO_CHANGES, since })),
        () => undefined,
      )
    }
    void subscribeToProducts(client, subscribedIds.split(',').map(Number), {
      signal,
      onStarted: refresh,
      onChange({ type, products }) {
        const received: Changes = new Map(
          products.map(({ productId, stock, price }) => [productId, { stock, ...(price !== null && { price }) }]),
        )
        setChanges(({ before, since }) => ({ before, since: merge(since, received) }))
        // Other fields may have changed, or the product was removed.
        if (type === 'changed' || type === 'removed') void refreshProducts(cache)
      },
    }).then(() => poll(signal, refresh))
    return () => controller.abort()
  }, [cache, client, subscribedIds, isVisible])
  return <ChangesContext value={changes}>{children}</ChangesContext>
}

function merge(older: Changes, newer: Changes): Changes {
  const merged = new Map(older)
  for (const [productId, change] of newer) merged.set(productId, { ...merged.get(productId), ...change })
  return merged
}

function onVisibilityChange(changed: () => void): () => void {
  document.addEventListener('visibilitychange', changed)
  return () => document.removeEventListener('visibilitychange', changed)
}
