import type { Reader, Tx } from '@pointwise/db'
import { sql } from 'kysely'
import { HORIZON } from '../outbox/cursor-names.ts'
import { isWithin } from '../outbox/queries.ts'
import type { IdRange } from '../outbox/reorder-buffer.ts'

/** The lease of a cursor. Each process that acquires it gets a higher epoch. */
export interface LeaseKey {
  name: string
  epoch: number
}

interface StartOptions {
  owner: string
  leaseMs: number
  /** Take the lease from its holder. */
  force: boolean
}

/** An instant of the database's clock. */
const inMs = (milliseconds: number) => sql<Date>`current_timestamp(3) + interval ${milliseconds * 1_000} microsecond`

/** Creates a cursor that begins at the horizon, unless it exists. */
export function createCursor(tx: Tx, name: string) {
  return tx
    .insertInto('outbox_cursors')
    .ignore()
    .columns(['name', 'position'])
    .expression((eb) =>
      eb
        .selectFrom('outbox_cursors')
        .select([sql.lit(name).as('name'), 'position'])
        .where('name', '=', HORIZON),
    )
}

export function selectCursor(db: Reader, name: string) {
  return db
    .selectFrom('outbox_cursors')
    .select(['position', 'epoch', 'owner'])
    .select(sql<0 | 1>`lease_expires_at is not null and lease_expires_at > current_timestamp(3)`.as('isHeld'))
    .where('name', '=', name)
}

/** Updates no row if another process has acquired the lease since it was read, or, without `force`, if it is held. */
export function startLease(tx: Tx, { name, epoch }: LeaseKey, { owner, leaseMs, force }: StartOptions) {
  const start = tx
    .updateTable('outbox_cursors')
    .set({ epoch, owner, lease_expires_at: inMs(leaseMs) })
    .where('name', '=', name)
    .where('epoch', '=', epoch - 1)
  if (force) return start
  return start.where((eb) =>
    eb.or([eb('lease_expires_at', 'is', null), eb('lease_expires_at', '<=', sql<Date>`current_timestamp(3)`)]),
  )
}

const updateOwn = (tx: Tx, { name, epoch }: LeaseKey) =>
  tx.updateTable('outbox_cursors').where('name', '=', name).where('epoch', '=', epoch)

/** Updates no row if another process has acquired the lease since, or its holder has ended it. */
export function renewLease(tx: Tx, lease: LeaseKey, leaseMs: number) {
  return updateOwn(tx, lease)
    .where('owner', 'is not', null)
    .set({ lease_expires_at: inMs(leaseMs) })
}

/** Updates no row if another process has acquired the lease since. */
export function advanceCursor(tx: Tx, lease: LeaseKey, { position, leaseMs }: { position: number; leaseMs: number }) {
  return updateOwn(tx, lease).set({ position, lease_expires_at: inMs(leaseMs) })
}

export function endLease(tx: Tx, lease: LeaseKey) {
  return updateOwn(tx, lease).set({ owner: null, lease_expires_at: null })
}

const selectRelayEvents = (db: Reader) =>
  db
    .selectFrom('events')
    .select(['id', 'type', 'key', 'created_at as at', 'traceparent'])
    .select(sql<string>`cast(payload as char)`.as('payload'))
    .orderBy('id')

export function selectRelayEventsAfter(db: Reader, { after, limit }: { after: number; limit: number }) {
  return selectRelayEvents(db).where('id', '>', after).limit(limit)
}

export function selectRelayEventsWithin(db: Reader, ranges: readonly IdRange[]) {
  return selectRelayEvents(db).where(isWithin(ranges))
}

/** How far a cursor is behind the outbox, in one statement, so that all values are of one moment. */
export function selectBacklog(db: Reader, name: string) {
  return db
    .selectFrom('outbox_cursors as cursor')
    .select('cursor.position')
    .select((eb) => [
      eb
        .selectFrom('outbox_cursors as horizon')
        .select('horizon.position')
        .where('horizon.name', '=', HORIZON)
        .as('horizon'),
      eb
        .selectFrom('events')
        .select(({ fn }) => fn.max('id').as('id'))
        .as('newestId'),
      eb
        .selectFrom('events')
        .select('created_at')
        .whereRef('id', '>', 'cursor.position')
        .orderBy('id')
        .limit(1)
        .as('oldestUnpublishedAt'),
    ])
    .where('cursor.name', '=', name)
}
