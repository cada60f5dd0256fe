import { expect } from 'vitest'

interface Callbacks<Change> {
  onStarted: () => void
  onData: (told: { id: string; data: Change }) => void
  onError: (error: unknown) => void
  onStopped: () => void
}

const soon = { timeout: 10_000, interval: 5 }

/** Somebody who follows a subscription, and keeps all that they are told. */
export class Subscriber<Change> implements Disposable {
  readonly told: { id: string; data: Change }[] = []
  /** How often a connection was made. */
  starts = 0
  error: unknown
  isStopped = false
  readonly #unsubscribe: () => void

  constructor(subscribe: (callbacks: Callbacks<Change>) => { unsubscribe: () => void }) {
    const { unsubscribe } = subscribe({
      onStarted: () => this.starts++,
      onData: (each) => this.told.push(each),
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
    return this.told.map(({ id }) => Number(id))
  }

  get changes(): Change[] {
    return this.told.map(({ data }) => data)
  }

  /** Resolves when it was connected so often. */
  async started(times = 1): Promise<void> {
    await expect.poll(() => this.error ?? this.starts, soon).toBeGreaterThanOrEqual(times)
  }

  /** Resolves when so many changes were told. */
  async has(count: number): Promise<void> {
    await expect.poll(() => this.error ?? this.told.length, soon).toBeGreaterThanOrEqual(count)
  }

  /** Resolves with what ended it. */
  async failed(): Promise<unknown> {
    await expect.poll(() => this.error, soon).toBeDefined()
    return this.error
  }

  [Symbol.dispose](): void {
    this.#unsubscribe()
  }
}

/** Follows a subscription, and goes on when it is connected: what is committed from now on is told. */
export async function subscribe<Change>(
  subscribe: (callbacks: Callbacks<Change>) => { unsubscribe: () => void },
): Promise<Subscriber<Change>> {
  const each = new Subscriber(subscribe)
  await each.started()
  return each
}
