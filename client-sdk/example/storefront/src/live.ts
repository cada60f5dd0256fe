import { useQueryClient } from '@tanstack/react-query'
import { useEffect } from 'react'
import { refreshProducts, refreshUser } from './queries.ts'
import { useSession } from './session.tsx'

const EVERY_MS = 2_000

/** Keeps what belongs to the user as it is on the server. */
export function useLiveUser(): void {
  const { user } = useSession()
  const cache = useQueryClient()
  const userId = user?.id
  useEffect(() => {
    if (!userId) return
    const timer = setInterval(() => refreshUser(cache, userId), EVERY_MS)
    return () => clearInterval(timer)
  }, [cache, userId])
}

/** Keeps stock and price of the products that are shown as they are on the server. */
export function useLiveProducts(productIds: number[]): void {
  const cache = useQueryClient()
  const shown = productIds.join()
  useEffect(() => {
    if (!shown) return
    const timer = setInterval(() => refreshProducts(cache), EVERY_MS)
    return () => clearInterval(timer)
  }, [cache, shown])
}
