import { expect, test } from 'vitest'
import { ReorderBuffer } from '../../server/src/outbox/reorder-buffer.ts'
import { fc } from '../setup/properties.ts'

const TIMEOUTS = { emptyMs: 100, uncommittedMs: 1_000 }

interface Row {
  id: number
}
const rowsOf = (...ids: number[]): Row[] => ids.map((id) => ({ id }))
const idsOf = (rows: Row[]) => rows.map(({ id }) => id)
const createBuffer = (timeouts = TIMEOUTS) => new ReorderBuffer<Row>(0, timeouts, { skipLeadingGap: false })

interface Found {
  committed?: number[]
  existing?: number[]
  isInsertUnderWay?: boolean
}

/** Fills every gap of the buffer: rows in `committed` were read, and ids in `existing` had a row before that. */
const fillGaps = (
  buffer: ReorderBuffer<Row>,
  checkedAt: number,
  { committed = [], existing = [], isInsertUnderWay = false }: Found = {},
) => buffer.fill([...buffer.gaps], { rows: rowsOf(...committed), isInsertUnderWay, existingIds: existing, checkedAt })

test('rows without a gap between them are released at once', () => {
  const buffer = new ReorderBuffer<Row>(7, TIMEOUTS, { skipLeadingGap: false })
  buffer.append(rowsOf(8, 9, 10), 0)
  expect(idsOf(buffer.take())).toEqual([8, 9, 10])
  expect(buffer.position).toBe(10)
  expect(buffer.take()).toEqual([])
})

test('an uncommitted row delays the rows above it until it commits', () => {
  const buffer = createBuffer()
  buffer.append(rowsOf(1, 3, 4), 0)
  expect(idsOf(buffer.take())).toEqual([1])
  expect(fillGaps(buffer, 500, { existing: [2] })).toEqual([])
  expect([buffer.take(), buffer.position, buffer.highestId]).toEqual([[], 1, 4])
  fillGaps(buffer, 600, { committed: [2] })
  expect(idsOf(buffer.take())).toEqual([2, 3, 4])
})

test('a row that commits between the check of its id and the read of its content is released once', () => {
  const buffer = createBuffer()
  buffer.append(rowsOf(1, 3), 0)
  expect(fillGaps(buffer, 0, { existing: [2], committed: [2] })).toEqual([])
  expect(idsOf(buffer.take())).toEqual([1, 2, 3])
})

test('an id without a row delays the rows above it until its timeout', () => {
  const buffer = createBuffer()
  buffer.append(rowsOf(2, 3), 50)
  fillGaps(buffer, 149)
  expect(buffer.take()).toEqual([])
  fillGaps(buffer, 150)
  expect(idsOf(buffer.take())).toEqual([2, 3])
})

test('an id without a row that an INSERT may fill delays the rows above it as an uncommitted row does', () => {
  const buffer = createBuffer()
  buffer.append(rowsOf(4, 5), 0)
  expect(fillGaps(buffer, 999, { existing: [2], isInsertUnderWay: true })).toEqual([])
  expect(buffer.take()).toEqual([])
  expect(fillGaps(buffer, 1_000, { committed: [2], isInsertUnderWay: true })).toEqual([1, 3])
  expect(idsOf(buffer.take())).toEqual([2, 4, 5])
})

test('a row that never commits is skipped after its timeout, and its id is returned', () => {
  const buffer = createBuffer()
  buffer.append(rowsOf(4), 0)
  expect(fillGaps(buffer, 999, { existing: [2] })).toEqual([])
  expect(buffer.gaps).toEqual([expect.objectContaining({ from: 2, to: 2 })])
  expect(fillGaps(buffer, 1_000, { existing: [2] })).toEqual([2])
  expect(idsOf(buffer.take())).toEqual([4])
})

test('the cost of a gap does not depend on its width', () => {
  const buffer = createBuffer()
  buffer.append(rowsOf(1_000_000_000), 0)
  fillGaps(buffer, 100, { committed: [400_000_000], existing: [300_000_000] })
  expect(buffer.gaps).toEqual([expect.objectContaining({ from: 300_000_000, to: 300_000_000 })])
  expect(buffer.take()).toEqual([])
})

test('below the first row of the outbox, uncommitted rows are waited for, and empty ids are not', () => {
  const buffer = new ReorderBuffer<Row>(0, TIMEOUTS, { skipLeadingGap: true })
  buffer.append(rowsOf(10, 11), 0)
  fillGaps(buffer, 0, { existing: [9] })
  expect(buffer.gaps).toEqual([expect.objectContaining({ from: 9, to: 9 })])
  fillGaps(buffer, 1, { committed: [9] })
  expect(idsOf(buffer.take())).toEqual([9, 10, 11])
})

test('for any interleaving of transactions, exactly the committed rows are released, once and in order', () => {
  const transactions = fc.array(fc.record({ rows: fc.integer({ min: 1, max: 3 }), commits: fc.boolean() }), {
    maxLength: 20,
  })
  const schedule = fc.infiniteStream(fc.nat())
  fc.assert(
    fc.property(transactions, schedule, (all, choices) => {
      const buffer = createBuffer({ ...TIMEOUTS, uncommittedMs: Number.POSITIVE_INFINITY })
      const released: number[] = []
      const committed = new Set<number>()
      let nextId = 1
      let now = 0
      // A transaction receives its ids when it begins, and ends at a random step.
      const open: { ids: number[]; commits: boolean }[] = []
      const notBegun = [...all]
      const choose = (count: number) => (choices.next().value ?? 0) % count
      const poll = () => {
        now += choose(TIMEOUTS.emptyMs / 2)
        const newRows = rowsOf(...[...committed].filter((id) => id > buffer.highestId).sort((a, b) => a - b))
        const { gaps } = buffer
        const isInGap = (id: number) => gaps.some(({ from, to }) => id >= from && id <= to)
        fillGaps(buffer, now, {
          existing: open.flatMap(({ ids }) => ids).filter(isInGap),
          committed: [...committed].filter(isInGap),
        })
        buffer.append(newRows, now)
        released.push(...idsOf(buffer.take()))
      }
      while (notBegun.length > 0 || open.length > 0) {
        const begun = notBegun.length > 0 && (open.length === 0 || choose(2) === 0) ? notBegun.shift() : undefined
        if (begun) open.push({ ids: Array.from({ length: begun.rows }, () => nextId++), commits: begun.commits })
        else {
          const [ended] = open.splice(choose(open.length), 1)
          if (ended?.commits) for (const id of ended.ids) committed.add(id)
        }
        if (choose(2) === 0) poll()
      }
      for (let n = 0; n < 10; n++) {
        now += TIMEOUTS.emptyMs
        poll()
      }
      expect(released).toEqual([...committed].sort((a, b) => a - b))
    }),
  )
})
