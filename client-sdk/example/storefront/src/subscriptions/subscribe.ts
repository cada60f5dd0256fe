import { refusalOf, type StockChange } from '@pointwise/client-sdk'
import type { Client } from '../api-client.ts'

/** The interval of the fallback where subscriptions are not available. */
const POLL_INTERVAL_MS = 5_000

interface Subscriber<Change> {
  signal: AbortSignal
  /** Called on each connection. Data that was read before may be older than the first change. */
  onStarted: () => void
  onChange: (change: Change) => void
}

type Subscribe<Change> = (options: {
  signal: AbortSignal
  onStarted: () => void
  onData: (event: { data: Change }) => void
  onError: (error: unknown) => void
  onStopped: () => void
}) => unknown

/**
 * Resolves when the subscription ends: it was aborted, or the server refused it. A subscription that cannot resume starts again,
 * because the page refreshes its data on each connection.
 */
async function run<Change>(subscribe: Subscribe<Change>, subscriber: Subscriber<Change>): Promise<void> {
  let error: unknown
  do error = await runOnce(subscribe, subscriber)
  while (!subscriber.signal.aborted && refusalOf(error)?.code === 'not_resumable')
}

/** Resolves with the error that ended the subscription; undefined if it was aborted or the server ended it. */
function runOnce<Change>(
  subscribe: Subscribe<Change>,
  { signal, onStarted, onChange }: Subscriber<Change>,
): Promise<unknown> {
  return new Promise((resolve) => {
    const stop = () => resolve(undefined)
    signal.addEventListener('abort', stop)
    subscribe({ signal, onStarted, onData: ({ data }) => onChange(data), onError: resolve, onStopped: stop })
  })
}

/** Subscribes to the stock and the price of products. Resolves when the subscription ends. */
export function subscribeToProducts(
  client: Client,
  productIds: number[],
  subscriber: Subscriber<StockChange>,
): Promise<void> {
  return run<StockChange>((options) => client.products.onStock.subscribe({ productIds }, options), subscriber)
}

/** Calls `changed` when the user's orders or balance change; polls once the subscriptions have ended. */
export async function subscribeToUser(client: Client, signal: AbortSignal, changed: () => void): Promise<void> {
  const subscriber = { signal, onStarted: changed, onChange: changed }
  await Promise.race([
    run((options) => client.orders.onChange.subscribe(undefined, options), subscriber),
    run((options) => client.points.onChange.subscribe(undefined, options), subscriber),
  ])
  await poll(signal, changed)
}

/** Calls `refresh` at a fixed interval until `signal` is aborted. */
export async function poll(signal: AbortSignal, refresh: () => void): Promise<void> {
  while (!signal.aborted) {
    await new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, POLL_INTERVAL_MS)
      signal.addEventListener('abort', () => {
        clearTimeout(timer)
        resolve()
      })
    })
    if (!signal.aborted) refresh()
  }
}
