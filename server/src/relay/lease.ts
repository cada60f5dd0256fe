import { executeAutocommit, type Pool, type Tx } from '@pointwise/db'
import { readRetainedEvents } from '../outbox/horizon.ts'
import * as queries from './queries.ts'

/** How long a lease lasts without being renewed, in milliseconds. */
export const LEASE_MS = 6_000
const RENEWAL_MS = 2_000

/** The lease has expired, or another process has acquired it. What follows is the work of the next holder. */
export class LeaseLostError extends Error {
  override readonly name = 'LeaseLostError'
}

export interface AcquireOptions {
  /** The name of the cursor in `outbox_cursors`. */
  name: string
  /** Who holds the lease, for operators. At most 64 ASCII characters. */
  owner: string
  /** Take the lease from its holder. */
  force?: boolean
}

/**
 * Acquires the lease of a cursor, and creates the cursor at the horizon if it does not exist. Returns undefined while another
 * process holds the lease. Each write commits by itself, so that a process that is suspended meanwhile blocks no other.
 *
 * @throws Error when `outbox_cursors` has no row for the horizon, at which a new cursor begins
 */
export async function acquireLease(
  db: Pool,
  { name, owner, force = false }: AcquireOptions,
): Promise<Lease | undefined> {
  const requestedAt = performance.now()
  const select = () => queries.selectCursor(db, name).executeTakeFirst()
  let cursor = await select()
  if (!cursor) {
    await readRetainedEvents(db)
    await executeAutocommit(db, (tx) => queries.createCursor(tx, name).execute())
    cursor = await select()
  }
  if (!cursor) return undefined
  const key = { name, epoch: cursor.epoch + 1 }
  const start = { owner, leaseMs: LEASE_MS, force }
  const { numUpdatedRows } = await executeAutocommit(db, (tx) =>
    queries.startLease(tx, key, start).executeTakeFirstOrThrow(),
  )
  if (numUpdatedRows === 0n) return undefined
  // Read afterwards, because the former holder may have moved the cursor until then.
  const acquired = await select()
  if (acquired?.epoch !== key.epoch) return undefined
  const takenFrom = force && cursor.isHeld ? cursor.owner : null
  return new Lease(db, { ...key, position: acquired.position, takenFrom, validUntil: requestedAt + LEASE_MS })
}

/**
 * The exclusive right to move a cursor. It renews itself until it is released. A holder whose process was suspended finds out
 * by `requireValid`; the database refuses to move the cursor for it.
 */
export class Lease {
  /** Who lost the lease to this holder, if it was taken by force. */
  readonly takenFrom: string | null
  readonly #db: Pool
  readonly #key: queries.LeaseKey
  #position: number
  #validUntil: number
  #timer: NodeJS.Timeout | undefined

  constructor(
    db: Pool,
    {
      position,
      validUntil,
      takenFrom,
      ...key
    }: queries.LeaseKey & { position: number; validUntil: number; takenFrom: string | null },
  ) {
    this.#db = db
    this.#key = key
    this.#position = position
    this.#validUntil = validUntil
    this.takenFrom = takenFrom
    this.#scheduleRenewal()
  }

  /** The position of the cursor. */
  get position(): number {
    return this.#position
  }

  get epoch(): number {
    return this.#key.epoch
  }

  /**
   * Requires that no other process can have acquired the lease, by the clock of this process.
   *
   * @throws LeaseLostError
   */
  requireValid(): void {
    if (performance.now() >= this.#validUntil) throw new LeaseLostError('The lease was not renewed in time.')
  }

  /**
   * Moves the cursor and renews the lease.
   *
   * @throws LeaseLostError when another process has acquired the lease. The cursor has not moved.
   */
  async advance(position: number): Promise<void> {
    await this.#update((tx) => queries.advanceCursor(tx, this.#key, { position, leaseMs: LEASE_MS }))
    this.#position = position
  }

  /** Ends the lease, so that another process can acquire it at once. It expires by itself if the database cannot be reached. */
  async release(): Promise<void> {
    clearTimeout(this.#timer)
    this.#timer = undefined
    this.#validUntil = 0
    await executeAutocommit(this.#db, (tx) => queries.endLease(tx, this.#key).execute()).catch(() => undefined)
  }

  #scheduleRenewal(): void {
    this.#timer = setTimeout(() => void this.#renew(), RENEWAL_MS).unref()
  }

  /** A renewal that fails is repeated. The lease expires if none succeeds. */
  async #renew(): Promise<void> {
    const timer = this.#timer
    await this.#update((tx) => queries.renewLease(tx, this.#key, LEASE_MS)).catch(() => undefined)
    if (this.#timer === timer) this.#scheduleRenewal()
  }

  async #update(build: (tx: Tx) => ReturnType<typeof queries.renewLease>): Promise<void> {
    const requestedAt = performance.now()
    const { numUpdatedRows } = await executeAutocommit(this.#db, (tx) => build(tx).executeTakeFirstOrThrow())
    if (numUpdatedRows === 0n) {
      this.#validUntil = 0
      throw new LeaseLostError('Another process has acquired the lease.')
    }
    this.#validUntil = Math.max(this.#validUntil, requestedAt + LEASE_MS)
  }
}
