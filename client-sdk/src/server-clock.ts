/**
 * Estimates the clock of the server from the header `Server-Time` of its responses. The estimate decides when a request is sent, and
 * which deadline it gets. It never decides whether a refusal is final.
 */
export class ServerClock {
  #offsetMs: number | undefined

  /** Records the time of the server at which it began a call that was sent at `sentAt`, by `performance.now()`. */
  record(serverTime: number, sentAt: number): void {
    this.#offsetMs = serverTime - sentAt
  }

  /** Milliseconds since the Unix epoch. Before the first response, this is the clock of this machine. */
  now(): number {
    return this.#offsetMs === undefined ? Date.now() : performance.now() + this.#offsetMs
  }
}

/** When the server began the call of this response, by its own clock. Undefined if the response does not come from the server. */
export function serverTimeOf(response: { headers?: Headers } | undefined): number | undefined {
  const header = response?.headers?.get('server-time')
  return header && /^\d+$/.test(header) ? Number(header) : undefined
}
