import { expect, test } from 'vitest'
import { ReorderBuffer } from '../../server/src/outbox/reorder-buffer.ts'
import { fc } from '../setup/properties.ts'

const PATIENCE = { emptyMs: 100, uncommittedMs: 1_000 }
const rows = (...ids: number[]) => ids.map((id) => ({ id }))
const ids = (taken: { id: number }[]) => taken.map(({ id }) => id)
const begun = (position = 0, patience = PATIENCE) =>
  new ReorderBuffer<{ id: number }>(position, patience, { isBegun: true })

/** Looks into the gaps and finds this. */
const look = (
  sequence: ReorderBuffer<{ id: number }>,
  askedAt: number,
  { committed = [], uncommitted = [] }: { committed?: number[]; uncommitted?: number[] } = {},
) => sequence.fill([...sequence.gaps], { rows: rows(...committed), uncommitted, askedAt })

test('what follows without a gap is taken at once', () => {
  const sequence = begun(7)
  sequence.append(rows(8, 9, 10), 0)
  expect(ids(sequence.take())).toEqual([8, 9, 10])
  expect(sequence.position).toBe(10)
  expect(sequence.take()).toEqual([])
})

test('a row that is not committed yet holds up what comes after it, until it is', () => {
  const sequence = begun()
  sequence.append(rows(1, 3, 4), 0)
  expect(ids(sequence.take())).toEqual([1])
  expect(look(sequence, 500, { uncommitted: [2] })).toEqual([])
  expect([sequence.take(), sequence.position, sequence.highest]).toEqual([[], 1, 4])
  look(sequence, 600, { committed: [2] })
  expect(ids(sequence.take())).toEqual([2, 3, 4])
})

test('an id without a row is waited for as long as it takes to insert one', () => {
  const sequence = begun()
  sequence.append(rows(2, 3), 50)
  look(sequence, 149)
  expect(sequence.take()).toEqual([])
  look(sequence, 150)
  expect(ids(sequence.take())).toEqual([2, 3])
})

test('a row that is never committed is given up in the end, and named', () => {
  const sequence = begun()
  sequence.append(rows(4), 0)
  expect(look(sequence, 999, { uncommitted: [2] })).toEqual([])
  expect(sequence.gaps).toEqual([expect.objectContaining({ from: 2, to: 2 })])
  expect(look(sequence, 1_000, { uncommitted: [2] })).toEqual([2])
  expect(ids(sequence.take())).toEqual([4])
})

test('a wide gap costs no more than a narrow one', () => {
  const sequence = begun()
  sequence.append(rows(1_000_000_000), 0)
  look(sequence, 100, { committed: [400_000_000], uncommitted: [300_000_000] })
  expect(sequence.gaps).toEqual([expect.objectContaining({ from: 300_000_000, to: 300_000_000 })])
  expect(sequence.take()).toEqual([])
})

test('below the first row of an outbox that begins, only rows are waited for', () => {
  const sequence = new ReorderBuffer<{ id: number }>(0, PATIENCE, { isBegun: false })
  sequence.append(rows(10, 11), 0)
  look(sequence, 0, { uncommitted: [9] })
  expect(sequence.gaps).toEqual([expect.objectContaining({ from: 9, to: 9 })])
  look(sequence, 1, { committed: [9] })
  expect(ids(sequence.take())).toEqual([9, 10, 11])
})

test('however transactions end, what was committed is taken once, in order, and nothing else', () => {
  const transactions = fc.array(fc.record({ ids: fc.integer({ min: 1, max: 3 }), commits: fc.boolean() }), {
    maxLength: 20,
  })
  const schedule = fc.infiniteStream(fc.nat())
  fc.assert(
    fc.property(transactions, schedule, (all, choices) => {
      const sequence = begun(0, { ...PATIENCE, uncommittedMs: Number.POSITIVE_INFINITY })
      const taken: number[] = []
      const committed = new Set<number>()
      let next = 1
      let now = 0
      // Each is given its ids in order, and ends when chance has it.
      const open: { ids: number[]; commits: boolean }[] = []
      const waiting = [...all]
      const choose = (count: number) => (choices.next().value ?? 0) % count
      const step = () => {
        now += choose(PATIENCE.emptyMs / 2)
        const fresh = rows(...[...committed].filter((id) => id > sequence.highest).sort((a, b) => a - b))
        const { gaps } = sequence
        const inGaps = (id: number) => gaps.some(({ from, to }) => id >= from && id <= to)
        look(sequence, now, {
          uncommitted: open.flatMap(({ ids }) => ids).filter(inGaps),
          committed: [...committed].filter(inGaps),
        })
        sequence.append(fresh, now)
        taken.push(...ids(sequence.take()))
      }
      while (waiting.length > 0 || open.length > 0) {
        const began = waiting.length > 0 && (open.length === 0 || choose(2) === 0) ? waiting.shift() : undefined
        if (began) open.push({ ids: Array.from({ length: began.ids }, () => next++), commits: began.commits })
        else {
          const [ended] = open.splice(choose(open.length), 1)
          if (ended?.commits) for (const id of ended.ids) committed.add(id)
        }
        if (choose(2) === 0) step()
      }
      for (let n = 0; n < 10; n++) {
        now += PATIENCE.emptyMs
        step()
      }
      expect(taken).toEqual([...committed].sort((a, b) => a - b))
    }),
  )
})
