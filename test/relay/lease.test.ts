import { connect, type Pool } from '@pointwise/db'
import { afterEach, beforeEach, expect, onTestFinished, test } from 'vitest'
import { acquireLease, Lease, LeaseLostError } from '../../server/src/relay/lease.ts'
import { readHorizon } from '../outbox/retained-outbox.ts'
import { databaseUrl, emptyDatabase, run } from '../setup/database.ts'
import { insertEvents, readCursor } from './outbox-rows.ts'

const name = 'kafka:lease-test'

let db: Pool
beforeEach(async () => {
  ;({ db } = await emptyDatabase())
})
afterEach(() => db.destroy())

async function acquire(owner: string, options: { force?: boolean } = {}): Promise<Lease | undefined> {
  const lease = await acquireLease(db, { name, owner, ...options })
  if (lease) onTestFinished(() => lease.release())
  return lease
}

async function acquired(owner: string, options: { force?: boolean } = {}): Promise<Lease> {
  return (await acquire(owner, options)) ?? expect.fail('Another process holds the lease.')
}

const cursor = () => readCursor(db, name)

/** As if the lease had not been renewed for six seconds. */
const expire = () =>
  run(
    db,
    `update outbox_cursors set lease_expires_at = current_timestamp(3) - interval 1 second where name = '${name}'`,
  )

test('a new cursor begins at the horizon', async () => {
  const horizon = await readHorizon(db)
  expect((await acquired('one')).position).toBe(horizon)
})

test('without a horizon no cursor is created, and the error states what to insert', async () => {
  const horizon = await readHorizon(db)
  await run(db, "delete from outbox_cursors where name = 'horizon'")
  onTestFinished(async () => {
    const again = connect(databaseUrl())
    await run(again, `insert into outbox_cursors (name, position) values ('horizon', ${horizon})`)
    await again.destroy()
  })
  await expect(acquire('one')).rejects.toThrow("no row 'horizon'")
})

test('one process at a time holds the lease, the next one has a higher epoch and continues at the position of the cursor', async () => {
  const first = await acquired('one')
  const [id = 0] = await insertEvents(db, 1)
  await first.advance(id)
  expect(await acquire('two')).toBeUndefined()
  await first.release()
  const second = await acquired('two')
  expect(second).toMatchObject({ epoch: first.epoch + 1, position: id, takenFrom: null })
  expect(await cursor()).toEqual({ position: id, epoch: second.epoch, owner: 'two' })
})

test('of ten processes that acquire a lease at the same time, one succeeds', async () => {
  const leases = await Promise.all(Array.from({ length: 10 }, (_, n) => acquire(`process ${n}`)))
  expect(leases.filter((lease) => lease !== undefined)).toHaveLength(1)
})

test('a holder whose lease expired and was acquired by another process cannot move the cursor, nor end the lease', async () => {
  const stale = await acquired('one')
  await expire()
  const next = await acquired('two')
  const before = await cursor()
  await expect(stale.advance(stale.position + 1)).rejects.toThrow(LeaseLostError)
  expect(() => stale.requireValid()).toThrow(LeaseLostError)
  await stale.release()
  expect(await cursor()).toEqual(before)
  expect(() => next.requireValid()).not.toThrow()
})

test('a lease that expired and that no other process acquired can be renewed by its holder', async () => {
  const lease = await acquired('one')
  await expire()
  await lease.advance(lease.position + 1)
  expect(await acquire('two')).toBeUndefined()
})

test('a lease can be taken by force, and states from whom', async () => {
  const stale = await acquired('one')
  const taker = await acquired('two', { force: true })
  expect(taker.takenFrom).toBe('one')
  await expect(stale.advance(stale.position + 1)).rejects.toThrow(LeaseLostError)
})

test('a lease is not valid after six seconds by the clock of its process, whatever the clock of the database is', async () => {
  const { position, epoch } = await acquired('one')
  const suspended = new Lease(db, { name, epoch, position, takenFrom: null, validUntil: performance.now() - 1 })
  onTestFinished(() => suspended.release())
  expect(() => suspended.requireValid()).toThrow(LeaseLostError)
})
