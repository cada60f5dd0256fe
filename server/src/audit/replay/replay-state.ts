import { RunningValue } from './running-value.ts'

/** The name and the price of a product. */
export interface Offer {
  name: string
  price: number
}

/**
 * How long after the end of an offer an order may still be placed with it, in milliseconds. `orders.place` reads prices
 * without a lock, so its event can follow the event of a price change that it did not see. No call takes that long, even if
 * the clocks of two servers differ.
 */
export const OFFER_OVERLAP_MS = 60_000

/** A wallet after the events that were replayed. It needs about 150 bytes. */
export class WalletState {
  readonly balance: RunningValue
  /** The last event that changed the balance; 0 before the first. */
  eventId = 0
  /** The time of that event in milliseconds; undefined if it could not be read. */
  changedAt: number | undefined

  constructor(balance: number | undefined) {
    this.balance = new RunningValue(balance)
  }

  forget(): void {
    this.balance.forget()
    this.changedAt = undefined
  }
}

/** A product after the events that were replayed. It needs about 250 bytes and its name. */
export class ProductState {
  readonly stock = new RunningValue()
  /** Undefined while no event has stated it, and after the removal. */
  offer: Offer | undefined
  isRemoved = false
  /** The quantity sold since the product was created; undefined if not all of its events are known. */
  sold: number | undefined
  /** The last event of the product; 0 before the first. */
  eventId = 0
  /** Undefined until an offer ends, because most never do. */
  #pastOffers: (Offer & { until: number })[] | undefined

  /** Ends the current offer, and starts the next one, if any. */
  changeOffer(next: Offer | undefined, at: Date): void {
    const { offer } = this
    this.offer = next
    if (!offer || isSame(offer, next)) return
    this.#pastOffers ??= []
    const past = this.#pastOffers
    while (past[0] && past[0].until < at.getTime() - OFFER_OVERLAP_MS) past.shift()
    past.push({ ...offer, until: at.getTime() })
  }

  /** Whether an order that was placed at that time may have this name and price. */
  isOffered(line: Offer, at: Date): boolean {
    if (!this.offer && !this.isRemoved) return true
    const isPastOffer = (past: Offer & { until: number }) =>
      isSame(past, line) && at.getTime() <= past.until + OFFER_OVERLAP_MS
    return isSame(line, this.offer) || (this.#pastOffers?.some(isPastOffer) ?? false)
  }

  forget(): void {
    this.stock.forget()
    this.sold = undefined
  }
}

function isSame(offer: Offer, other: Offer | undefined): boolean {
  return offer.name === other?.name && offer.price === other.price
}
