import type { StockChange } from '@pointwise/client-sdk'
import type { Client } from '../server.ts'

/** Where no stream can be had. */
const POLL_MS = 5_000

interface Following<Change> {
  signal: AbortSignal
  /** What was read before may be older than what will be told. */
  onStarted: () => void
  onChange: (change: Change) => void
}

type Subscribe<Change> = (options: {
  signal: AbortSignal
  onStarted: () => void
  onData: (told: { data: Change }) => void
  onError: () => void
  onStopped: () => void
}) => unknown

/** Resolves when nothing is told any more: somebody has aborted it, or the server has refused. */
function followed<Change>(
  subscribe: Subscribe<Change>,
  { signal, onStarted, onChange }: Following<Change>,
): Promise<void> {
  return new Promise((resolve) => {
    signal.addEventListener('abort', () => resolve())
    subscribe({ signal, onStarted, onData: ({ data }) => onChange(data), onError: resolve, onStopped: resolve })
  })
}

/** Follows stock and price of products. */
export function followProducts(client: Client, productIds: number[], following: Following<StockChange>): Promise<void> {
  return followed<StockChange>((options) => client.products.onStock.subscribe({ productIds }, options), following)
}

/** Follows the orders and the balance of the client's user; looks now and then where they cannot be followed. */
export async function followUser(client: Client, signal: AbortSignal, changed: () => void): Promise<void> {
  const following = { signal, onStarted: changed, onChange: changed }
  await Promise.race([
    followed((options) => client.orders.onChange.subscribe(undefined, options), following),
    followed((options) => client.points.onChange.subscribe(undefined, options), following),
  ])
  await lookNowAndThen(signal, changed)
}

export async function lookNowAndThen(signal: AbortSignal, look: () => void): Promise<void> {
  while (!signal.aborted) {
    await new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, POLL_MS)
      signal.addEventListener('abort', () => {
        clearTimeout(timer)
        resolve()
      })
    })
    if (!signal.aborted) look()
  }
}
