/** An event that cannot be published. The events after it wait until an operator has removed the cause. */
export class UnpublishableEventError extends Error {
  override readonly name = 'UnpublishableEventError'
  readonly eventId: number

  /** @param problem what prevents the publication, and what to do */
  constructor(eventId: number, problem: string, options?: ErrorOptions) {
    super(`Event ${eventId} cannot be published: ${problem}`, options)
    this.eventId = eventId
  }
}
