import { eventually } from './eventually.ts'

interface Callbacks<Change> {
  onStarted: () => void
  onData: (event: { id: string; data: Change }) => void
  onError: (error: unknown) => void
  onStopped: () => void
}

/** Records everything that a subscription delivers. */
export class Subscriber<Change> implements Disposable {
  readonly events: { id: string; data: Change }[] = []
  /** How often a connection was established. */
  starts = 0
  error: unknown
  isStopped = false
  readonly #unsubscribe: () => void

  constructor(subscribe: (callbacks: Callbacks<Change>) => { unsubscribe: () => void }) {
    const { unsubscribe } = subscribe({
      onStarted: () => this.starts++,
      onData: (event) => this.events.push(event),
      onError: (error) => {
        this.error = error
      },
      onStopped: () => {
        this.isStopped = true
      },
    })
    this.#unsubscribe = unsubscribe
  }

  get ids(): number[] {
    return this.events.map(({ id }) => Number(id))
  }

  get changes(): Change[] {
    return this.events.map(({ data }) => data)
  }

  /** Resolves when a connection was established this many times. */
  async started(times = 1): Promise<void> {
    await eventually(() => this.error ?? this.starts).toBeGreaterThanOrEqual(times)
  }

  /** Resolves when this many changes were received. */
  async received(count: number): Promise<void> {
    await eventually(() => this.error ?? this.events.length).toBeGreaterThanOrEqual(count)
  }

  /** Resolves with the error that ended the subscription. */
  async failed(): Promise<unknown> {
    await eventually(() => this.error).toBeDefined()
    return this.error
  }

  [Symbol.dispose](): void {
    this.#unsubscribe()
  }
}

/** Subscribes, and resolves when connected: every change that is committed from then on is received. */
export async function subscribe<Change>(
  start: (callbacks: Callbacks<Change>) => { unsubscribe: () => void },
): Promise<Subscriber<Change>> {
  const subscriber = new Subscriber(start)
  await subscriber.started()
  return subscriber
}
