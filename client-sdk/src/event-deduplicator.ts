/**
 * Handles each event of one partition exactly once, although Pointwise may publish a run of events again. The state is one
 * number, the id of the last event that was handled.
 *
 * Ids ascend within one partition only, so each partition needs a deduplicator of its own. To survive a crash, store `lastId` in
 * the transaction that stores the effects of the event, and create the deduplicator with the stored number.
 */
export class EventDeduplicator {
  #lastId: number
  #handledId: number | undefined
  #failedId: number | undefined

  /** @param lastId the id of the last event of the partition that was handled; 0 if there is none */
  constructor(lastId = 0) {
    if (!Number.isSafeInteger(lastId) || lastId < 0) {
      throw new TypeError(
        `EventDeduplicator expects the id of the last handled event as a number, or 0. It is ${String(lastId)} (${typeof lastId}).`,
      )
    }
    this.#lastId = lastId
  }

  /** The id of the last event that was handled. Every event up to it was handled. */
  get lastId(): number {
    return this.#lastId
  }

  /**
   * Calls `handler` with an event that is new, and waits for it. Returns false, without a call, if the event was handled before.
   * `lastId` becomes the id of the event only after `handler` has succeeded. If it throws, this method throws the same error, and
   * the event remains new: later events are rejected until it is handled. To skip it, pass a handler that does nothing.
   *
   * @throws Error if an earlier event failed, or is still being handled; nothing was handled
   */
  async handleOnce<T extends { readonly id: number }>(event: T, handler: (event: T) => unknown): Promise<boolean> {
    const { id } = event
    if (!Number.isSafeInteger(id) || id < 1)
      throw new TypeError(`The id of an event is a number of at least 1, not ${id}.`)
    if (this.#handledId !== undefined) {
      throw new Error(
        `Event ${id} was passed while event ${this.#handledId} is being handled. Wait for handleOnce before you pass the next event of the partition.`,
      )
    }
    if (id <= this.#lastId) return false
    if (this.#failedId !== undefined && id > this.#failedId) {
      throw new Error(
        `Event ${id} was passed, but the handler of event ${this.#failedId} failed. Pass event ${this.#failedId} again first, or it would be lost.`,
      )
    }
    this.#handledId = id
    try {
      await handler(event)
    } catch (error) {
      this.#failedId = id
      throw error
    } finally {
      this.#handledId = undefined
    }
    this.#lastId = id
    if (id === this.#failedId) this.#failedId = undefined
    return true
  }
}
