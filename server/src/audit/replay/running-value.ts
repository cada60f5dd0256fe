/**
 * A balance or a stock that events change, each event stating the value after it. Where an event states a wrong value, the
 * sum of the changes and the stated value are both remembered, so that one wrong or missing event is reported once.
 */
export class RunningValue {
  #sum: number | undefined
  #stated: number | undefined

  /** Starts with a known value. Without one, the first event states it. */
  constructor(start?: number) {
    this.#sum = start
    this.#stated = start
  }

  /** Applies the change of an event. Returns the value that the event had to state, or undefined if it stated it. */
  apply(change: number, stated: number): number | undefined {
    const expected = this.#sum === undefined ? stated : this.#sum + change
    const isCorrect = stated === expected || (this.#stated !== undefined && stated === this.#stated + change)
    this.#sum = isCorrect ? stated : expected
    this.#stated = stated
    return isCorrect ? undefined : expected
  }

  /** Makes the value unknown until the next event states it. */
  forget(): void {
    this.#sum = undefined
    this.#stated = undefined
  }

  /** Returns the value that a row must have, or undefined if the row has it or the value is unknown. */
  expectedOf(row: number): number | undefined {
    return row === this.#sum || row === this.#stated ? undefined : this.#sum
  }
}
