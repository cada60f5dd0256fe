import { Deadline } from '@pointwise/db'
import { afterEach, expect, test, vi } from 'vitest'
import { ContendedRows } from '../../server/src/payments/settlement/contended-rows.ts'
import { DeadlineReserve } from '../../server/src/payments/settlement/deadline-reserve.ts'
import type { SettlementRequest } from '../../server/src/payments/settlement/decide.ts'
import { settleBatch } from '../../server/src/payments/settlement/settle-batch.ts'
import { type FaultyShop, openFaultyShop } from '../faults/faulty-shop.ts'
import { eventually } from '../setup/eventually.ts'
import { item, newKey } from '../setup/shop.ts'
import { holdCommit, settleTogether, statementCount, summaryOf } from './batches.ts'

const HOUR_MS = 3_600_000
const now = new Date('2026-03-01T08:00:00Z')

afterEach(() => {
  vi.useRealTimers()
})

const deadlineIn = (ms: number) => new Deadline(Date.now() + ms)

/** Users with 10 points, each with a checkout of one point. */
async function checkoutsOf({ shop }: FaultyShop, count: number) {
  const product = await shop.givenProduct({ price: 1, stock: 1_000 })
  const users = await shop.givenUsers(count, { points: 10 })
  return users.map(
    ({ id: userId }): SettlementRequest => ({
      kind: 'checkout',
      userId,
      items: [item(product)],
      idempotencyKey: newKey(),
      now,
    }),
  )
}

const PAID = { balance: 9, replayed: false }

/** Delays the payments of the next batch until the system clock is at a time. */
async function passTimeBeforeCommit<T>({ proxy }: FaultyShop, at: number, settle: () => Promise<T>): Promise<T> {
  const passed = Promise.withResolvers<void>()
  const delayed = proxy.inject({ until: passed.promise }, /^insert into `orders`/)
  const settled = settle()
  await eventually(delayed).toBe(1)
  vi.setSystemTime(at)
  passed.resolve()
  return settled
}

test('A request with less than 250 ms left is refused, and nothing is locked for it', async () => {
  await using faulty = await openFaultyShop()
  const [late, other] = await checkoutsOf(faulty, 2)
  if (!late || !other) throw new Error('There are no requests.')
  late.deadline = deadlineIn(249)
  faulty.proxy.queries.length = 0
  expect(summaryOf(await settleTogether(faulty.shop, [late]))).toEqual(['deadline_exceeded'])
  expect(faulty.proxy.queries).toEqual([])

  late.deadline = deadlineIn(249)
  expect(summaryOf(await settleTogether(faulty.shop, [late, other]))).toEqual(['deadline_exceeded', PAID])
  const locks = faulty.proxy.queries.flat().filter((statement) => /from `points`.* for update$/.test(statement))
  expect(locks.map((statement) => /where `user_id` in \((.*?)\)/.exec(statement)?.[1])).toEqual([String(other.userId)])
})

test('A request whose deadline passes before COMMIT has no effect, and the others of its batch are settled', async () => {
  await using faulty = await openFaultyShop()
  const [late, other, replay] = await checkoutsOf(faulty, 3)
  if (!late || !other || !replay) throw new Error('There are no requests.')
  await settleTogether(faulty.shop, [replay])
  vi.useFakeTimers({ toFake: ['Date'] })
  late.deadline = deadlineIn(HOUR_MS)
  other.deadline = deadlineIn(2 * HOUR_MS)
  faulty.proxy.queries.length = 0
  const outcomes = await passTimeBeforeCommit(faulty, late.deadline.at, () =>
    settleTogether(faulty.shop, [late, other, replay]),
  )
  expect(summaryOf(outcomes)).toEqual(['deadline_exceeded', PAID, { ...PAID, replayed: true }])
  const ends = faulty.proxy.queries.flat().filter((statement) => /^(commit|rollback)$/.test(statement))
  expect(ends).toEqual(['rollback', 'commit'])
})

test('Requests whose deadlines pass one after the other make a batch begin again once', async () => {
  await using faulty = await openFaultyShop()
  const [other, ...late] = await checkoutsOf(faulty, 21)
  if (!other) throw new Error('There are no requests.')
  vi.useFakeTimers({ toFake: ['Date'] })
  const first = Date.now() + HOUR_MS
  for (const [index, request] of late.entries()) request.deadline = new Deadline(first + index)
  faulty.proxy.queries.length = 0
  const outcomes = await passTimeBeforeCommit(faulty, first, () => settleTogether(faulty.shop, [other, ...late]))
  expect(summaryOf(outcomes)).toEqual([PAID, ...late.map(() => 'deadline_exceeded')])
  expect(statementCount(faulty, 'begin')).toBe(2)
})

test('A request that waits for its batch is refused at its deadline', async () => {
  await using faulty = await openFaultyShop()
  const { settlement } = faulty.shop.app
  const [first, late, other] = await checkoutsOf(faulty, 3)
  if (!first || !late || !other) throw new Error('There are no requests.')
  using batch = await holdCommit(faulty, () => settlement.settle(first))
  const waiting = settlement.settle(other)
  late.deadline = deadlineIn(300)
  const refused = await settlement.settle(late).catch((error) => error.refusal?.code)
  expect({ refused, hasPassed: late.deadline.hasPassed }).toEqual({ refused: 'deadline_exceeded', hasPassed: true })
  expect(await batch.finish()).toMatchObject(PAID)
  expect(await waiting).toMatchObject(PAID)
})

test('After a long batch, requests need twice its duration, so that they do not make every batch begin again', async () => {
  await using faulty = await openFaultyShop()
  const [late] = await checkoutsOf(faulty, 1)
  if (!late) throw new Error('There is no request.')
  const context = { pool: faulty.shop.db, contendedRows: new ContendedRows(), onFailedAttempt: () => undefined }
  const deadlineReserve = new DeadlineReserve()
  deadlineReserve.record(900)
  vi.useFakeTimers({ toFake: ['Date'] })
  late.deadline = deadlineIn(1_000)
  expect(summaryOf(await settleBatch({ ...context, deadlineReserve }, [late]))).toEqual(['deadline_exceeded'])
})

test('The reserve is twice the duration of a recent batch, within bounds, and is halved every second', () => {
  vi.useFakeTimers({ toFake: ['performance'] })
  const reserve = new DeadlineReserve()
  expect(reserve.ms).toBe(250)
  reserve.record(100)
  expect(reserve.ms).toBe(250)
  reserve.record(500)
  reserve.record(100)
  expect(reserve.ms).toBe(1_000)
  vi.advanceTimersByTime(1_000)
  expect(reserve.ms).toBe(500)
  vi.advanceTimersByTime(5_000)
  expect(reserve.ms).toBe(250)
  reserve.record(30_000)
  expect(reserve.ms).toBe(2_000)
})
