import { type ConnectError, isAccessDenied } from './errors.ts'
import type { PooledConnection } from './pooled-connection.ts'

const RETRY_MS = 1_000
const RETRY_MS_MAX = 5_000

/** What the owner of a pool learns about its access to the database. */
export interface AccessListener {
  /** The server refuses the account of this pool. Called once, until `onAccessRestored`. */
  onAccessDenied?: (error: ConnectError) => void
  /** The server accepts the account again. */
  onAccessRestored?: () => void
}

/** Whether the server accepts an account. While it does not, one attempt at a time finds out whether it still does. */
export class AccountAccess {
  readonly #open: () => Promise<PooledConnection>
  readonly #listener: AccessListener
  #error: ConnectError | undefined
  #timer: NodeJS.Timeout | undefined
  #isClosed = false

  /** @param open opens a connection for an attempt */
  constructor(open: () => Promise<PooledConnection>, listener: AccessListener) {
    this.#open = open
    this.#listener = listener
  }

  /** Why the server refuses the account; undefined while it does not. */
  get error(): ConnectError | undefined {
    return this.#error
  }

  /** Records why a connection could not be opened. */
  recordFailure(error: ConnectError): void {
    if (!isAccessDenied(error.cause) || this.#error) return
    this.#error = error
    this.#listener.onAccessDenied?.(error)
    this.#retry(RETRY_MS)
  }

  /** Makes no further attempt. */
  close(): void {
    this.#isClosed = true
    clearTimeout(this.#timer)
  }

  #retry(afterMs: number): void {
    this.#timer = setTimeout(async () => {
      try {
        const connection = await this.#open()
        void connection.end()
        this.#error = undefined
        this.#listener.onAccessRestored?.()
      } catch {
        if (!this.#isClosed) this.#retry(Math.min(RETRY_MS_MAX, 2 * afterMs))
      }
    }, afterMs).unref()
  }
}
