import { connect } from '../connection.ts'
import { errorMessage } from '../error-message.ts'
import type { Pool, Reader } from '../handles.ts'
import { checkReplicaServer } from '../server-check.ts'
import { type Position, readNewestId, readPosition, readPositionAt } from './position.ts'

/** A replica that is further behind is not used. */
export const REPLICA_LAG_MS_MAX = 5_000
const PROBE_INTERVAL_MS = 1_000
/** After a read failed, the replica is not used for this long. */
const PAUSE_MS = 5_000
/** A replica that does not respond delays a read by at most this time, and then the primary answers. */
const READ_TIMEOUT_MS = 1_000
const ACQUIRE_TIMEOUT_MS = 500
const UNCHECKED = 'it has not been compared with the primary yet'
/** Positions of the primary that a usable replica can still have to reach, and some more. */
const POSITIONS_MAX = (2 * REPLICA_LAG_MS_MAX) / PROBE_INTERVAL_MS

export interface ReplicaOptions {
  /** The primary: it answers while the replica is not used, and what it contains decides how far the replica is behind. */
  primary: Pool
  /** The URL of the replica. Its account needs SELECT only. */
  url: string
  connections: number
  /** How long a statement of `readLong` may take, in milliseconds. Defaults to that of `connect`. */
  longStatementTimeoutMs?: number
  /** A monotonic clock, in milliseconds. */
  clock?: { now: () => number }
  onUsed?: () => void
  /** Called once, until `onUsed`. */
  onUnused?: (reason: string) => void
}

interface KnownPosition extends Position {
  /** The primary had reached the position at this time, on the clock of the replica. */
  at: number
}

/**
 * Reads from a replica as long as it contains everything that the primary contained `REPLICA_LAG_MS_MAX` ago, and otherwise from the
 * primary. Once a second it compares the newest events of both, which takes no privilege, and works with every kind of replication that
 * preserves the order of commits.
 */
export class Replica {
  /** How many reads the primary has answered instead. */
  fallbacks = 0
  readonly #options: ReplicaOptions
  readonly #clock: { now: () => number }
  readonly #reads: Pool
  readonly #longReads: Pool
  /** Not `#reads`: a probe must not wait for reads. */
  readonly #probes: Pool
  #known: KnownPosition[] = []
  /** The replica contains everything that the primary contained at this time. */
  #currentAt = Number.NEGATIVE_INFINITY
  #problem: string | undefined = UNCHECKED
  #primaryError: string | undefined
  #pausedUntil = Number.NEGATIVE_INFINITY
  #isAccepted = false
  #isProbing = false
  #isReportedUsed: boolean | undefined
  #timer: NodeJS.Timeout | undefined

  /** @throws DatabaseUrlError when the URL is not valid */
  constructor(options: ReplicaOptions) {
    this.#options = options
    const { url, connections, longStatementTimeoutMs, clock = performance } = options
    this.#clock = clock
    const limits = { acquireTimeoutMs: ACQUIRE_TIMEOUT_MS, checkAfterIdleMs: PROBE_INTERVAL_MS }
    this.#reads = connect(url, { ...limits, connections, statementTimeoutMs: READ_TIMEOUT_MS })
    this.#longReads = connect(url, {
      ...limits,
      connections: 1,
      ...(longStatementTimeoutMs !== undefined && { statementTimeoutMs: longStatementTimeoutMs }),
    })
    this.#probes = connect(url, { ...limits, connections: 1, statementTimeoutMs: READ_TIMEOUT_MS })
  }

  /** Compares the replica with the primary now and from then on every second. */
  async start(): Promise<void> {
    this.#timer = setInterval(() => void this.probe(), PROBE_INTERVAL_MS).unref()
    await this.probe()
  }

  async close(): Promise<void> {
    clearInterval(this.#timer)
    await Promise.all([this.#reads.destroy(), this.#longReads.destroy(), this.#probes.destroy()])
  }

  get isUsed(): boolean {
    const isPaused = this.#clock.now() < this.#pausedUntil
    return this.#problem === undefined && !isPaused && this.#lagMs <= REPLICA_LAG_MS_MAX
  }

  /** How old the data of the replica can be. Infinity while it is not known. */
  get lagSeconds(): number {
    return this.#lagMs / 1_000
  }

  /** Runs `work` on the replica, or on the primary if the replica is not used or fails. */
  read<T>(work: (db: Reader) => Promise<T>): Promise<T> {
    return this.#read(this.#reads, work)
  }

  /** Like `read`, for work whose statements may take as long as those on the primary. */
  readLong<T>(work: (pool: Pool) => Promise<T>): Promise<T> {
    return this.#read(this.#longReads, work)
  }

  async #read<T>(replica: Pool, work: (pool: Pool) => Promise<T>): Promise<T> {
    if (this.isUsed) {
      try {
        return await work(replica)
      } catch (error) {
        this.#pause(error)
      }
    }
    this.fallbacks++
    return work(this.#options.primary)
  }

  #pause(error: unknown): void {
    this.#pausedUntil = this.#clock.now() + PAUSE_MS
    this.#problem = `a read failed: ${reasonOf(error)}`
    this.#report()
  }

  get #lagMs(): number {
    return this.#clock.now() - this.#currentAt
  }

  /** Compares the replica with the primary, unless a comparison is in progress, and reports whether it is used. */
  async probe(): Promise<void> {
    this.#report()
    if (this.#isProbing) return
    this.#isProbing = true
    try {
      const problem = await this.#compare()
      if (this.#clock.now() >= this.#pausedUntil) this.#problem = problem
    } catch (error) {
      this.#isAccepted = false
      this.#problem = reasonOf(error)
    } finally {
      this.#isProbing = false
      this.#report()
    }
  }

  /** Finds out how current the replica is. Returns why it must not be used, if not for its lag. */
  async #compare(): Promise<string | undefined> {
    if (!this.#isAccepted) await checkReplicaServer(this.#probes)
    this.#isAccepted = true
    const newestId = await readNewestId(this.#probes)
    const at = this.#clock.now()
    const position = await this.#askPrimary()
    if (!position) return undefined
    this.#known = [...this.#known, { ...position, at }].slice(-POSITIONS_MAX)
    if (newestId > position.id) return 'it contains events that the primary does not contain'
    const reached = this.#known.findLast(({ id }) => id <= newestId)
    if (!reached) return undefined
    const { fingerprint, count } = await readPositionAt(this.#probes, reached.id)
    if (fingerprint !== reached.fingerprint) return 'its events differ from those of the primary'
    if (count >= reached.count) this.#currentAt = reached.at
    return undefined
  }

  /** What the primary contains. Undefined if it does not respond: the replica is used as long as it was current a moment ago. */
  async #askPrimary(): Promise<Position | undefined> {
    try {
      const position = await readPosition(this.#options.primary)
      this.#primaryError = undefined
      return position
    } catch (error) {
      this.#primaryError = reasonOf(error)
      return undefined
    }
  }

  #report(): void {
    const { isUsed } = this
    // The first report follows the first comparison.
    if (isUsed === this.#isReportedUsed || this.#problem === UNCHECKED) return
    this.#isReportedUsed = isUsed
    if (isUsed) this.#options.onUsed?.()
    else this.#options.onUnused?.(this.#problem ?? this.#lagProblem())
  }

  #lagProblem(): string {
    const limit = `${REPLICA_LAG_MS_MAX / 1_000} seconds`
    return this.#primaryError === undefined
      ? `it is more than ${limit} behind the primary`
      : `it may be more than ${limit} behind the primary, which could not be asked: ${this.#primaryError}`
  }
}

function reasonOf(error: unknown): string {
  const cause = error instanceof Error && error.cause instanceof Error ? error.cause : error
  return cause instanceof Error ? errorMessage(cause) : String(cause)
}
