import { AsyncLocalStorage } from 'node:async_hooks'

/** How long a call has waited for Redis since its last outage. Commands that run at the same time count once. */
export class CallWait {
  #finishedMs = 0
  #outages = 0
  #pending = 0
  #since = 0

  /** The wait of the call, of which nothing counts that was before the last of so many outages. */
  since(outages: number): number {
    if (this.#outages !== outages) this.#finishedMs = 0
    this.#outages = outages
    return this.#finishedMs + (this.#pending > 0 ? performance.now() - this.#since : 0)
  }

  begin(): void {
    if (this.#pending++ === 0) this.#since = performance.now()
  }

  end(): void {
    if (--this.#pending === 0) this.#finishedMs += performance.now() - this.#since
  }

  copy(): CallWait {
    const copy = new CallWait()
    copy.#outages = this.#outages
    copy.#finishedMs = this.since(this.#outages)
    return copy
  }
}

const waits = new AsyncLocalStorage<CallWait | undefined>()

/** Runs a call. All its commands together have one time limit. */
export function runCall<T>(work: () => T): T {
  return waits.run(new CallWait(), work)
}

/** Runs commands, or starts a timer, for which the current call does not wait. */
export function runApart<T>(work: () => T): T {
  return waits.run(undefined, work)
}

/** Runs commands while the current call waits for something else. They have the limit that remains, and do not count. */
export function runUncounted<T>(work: () => T): T {
  return waits.run(currentWait().copy(), work)
}

/** The wait of the current call. A command that belongs to no call has one of its own. */
export function currentWait(): CallWait {
  return waits.getStore() ?? new CallWait()
}
