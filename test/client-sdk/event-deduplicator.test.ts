import { EventDeduplicator } from '@pointwise/client-sdk/events'
import { describe, expect, test, vi } from 'vitest'
import { fc } from '../setup/properties.ts'

/** Deliveries of a partition: ascending ids with gaps, in which runs are repeated from an earlier id. */
const deliveries = fc
  .record({
    ids: fc
      .uniqueArray(fc.integer({ min: 1, max: 1_000 }), { minLength: 1, maxLength: 40 })
      .map((ids) => ids.toSorted((a, b) => a - b)),
    repeats: fc.array(fc.record({ after: fc.nat(), back: fc.nat({ max: 10 }) }), { maxLength: 5 }),
  })
  .map(({ ids, repeats }) => {
    const delivered = ids.flatMap((id, index) => {
      const runs = repeats.filter(({ after }) => after % ids.length === index)
      return [id, ...runs.flatMap(({ back }) => ids.slice(Math.max(0, index - back), index + 1))]
    })
    return { ids, delivered }
  })

describe('handleOnce', () => {
  test('handles each id exactly once and in order, with repeated runs and gaps', async () => {
    const property = fc.asyncProperty(deliveries, async ({ ids, delivered }) => {
      const deduplicator = new EventDeduplicator()
      const handled: number[] = []
      for (const id of delivered) await deduplicator.handleOnce({ id }, (event) => handled.push(event.id))
      expect(handled).toEqual(ids)
      expect(deduplicator.lastId).toBe(ids.at(-1))
    })
    await fc.assert(property)
  })

  test('handles each id exactly once when the consumer restarts at any message with the stored number', async () => {
    const property = fc.asyncProperty(
      deliveries,
      fc.array(fc.nat(), { maxLength: 5 }),
      async ({ ids, delivered }, crashes) => {
        let stored = { lastId: 0, handled: [] as number[] }
        const crashAt = new Set(crashes.map((crash) => crash % delivered.length))
        let deduplicator = new EventDeduplicator()
        for (let index = 0; index < delivered.length; index++) {
          const id = delivered[index] ?? 0
          const crash = crashAt.delete(index)
          const handling = deduplicator.handleOnce({ id }, () => {
            if (crash) throw new Error('crash before the transaction commits')
            stored = { lastId: id, handled: [...stored.handled, id] }
          })
          const failed = await handling.then(
            () => false,
            () => true,
          )
          if (!failed) continue
          // The broker delivers again from an offset that was committed earlier.
          index = Math.max(-1, index - 3)
          deduplicator = new EventDeduplicator(stored.lastId)
        }
        expect(stored.handled).toEqual(ids)
      },
    )
    await fc.assert(property)
  })

  test('returns whether the event was new, and does not call the handler for one that was not', async () => {
    const deduplicator = new EventDeduplicator(5)
    const handler = vi.fn()
    expect(await deduplicator.handleOnce({ id: 4 }, handler)).toBe(false)
    expect(await deduplicator.handleOnce({ id: 5 }, handler)).toBe(false)
    expect(handler).not.toHaveBeenCalled()
    expect(await deduplicator.handleOnce({ id: 9, type: 'order.paid' }, handler)).toBe(true)
    expect(handler.mock.calls).toEqual([[{ id: 9, type: 'order.paid' }]])
    expect(deduplicator.lastId).toBe(9)
  })

  test('advances only after the handler has succeeded', async () => {
    const deduplicator = new EventDeduplicator()
    await deduplicator.handleOnce({ id: 1 }, async () => {
      await Promise.resolve()
      expect(deduplicator.lastId).toBe(0)
    })
    expect(deduplicator.lastId).toBe(1)
  })

  test.each([
    [
      'throws',
      () => {
        throw new Error('lost')
      },
    ],
    ['rejects', () => Promise.reject(new Error('lost'))],
  ])('leaves an event new whose handler %s, and handles no later event before it', async (_, failing) => {
    const deduplicator = new EventDeduplicator(3)
    await expect(deduplicator.handleOnce({ id: 5 }, failing)).rejects.toThrow('lost')
    expect(deduplicator.lastId).toBe(3)
    await expect(deduplicator.handleOnce({ id: 6 }, () => expect.fail('handled'))).rejects.toThrow(
      'Event 6 was passed, but the handler of event 5 failed. Pass event 5 again first, or it would be lost.',
    )
    expect(deduplicator.lastId).toBe(3)
    expect(await deduplicator.handleOnce({ id: 3 }, () => expect.fail('handled'))).toBe(false)
    await expect(deduplicator.handleOnce({ id: 5 }, failing)).rejects.toThrow('lost')
    expect(await deduplicator.handleOnce({ id: 5 }, () => undefined)).toBe(true)
    expect(await deduplicator.handleOnce({ id: 6 }, () => undefined)).toBe(true)
    expect(deduplicator.lastId).toBe(6)
  })

  test('rejects an event that is passed while another one is being handled', async () => {
    const deduplicator = new EventDeduplicator()
    const { promise, resolve } = Promise.withResolvers<void>()
    const first = deduplicator.handleOnce({ id: 1 }, () => promise)
    for (const id of [1, 2]) {
      await expect(deduplicator.handleOnce({ id }, () => expect.fail('handled'))).rejects.toThrow(
        `Event ${id} was passed while event 1 is being handled. Wait for handleOnce `,
      )
    }
    resolve()
    expect(await first).toBe(true)
    expect(await deduplicator.handleOnce({ id: 2 }, () => undefined)).toBe(true)
  })

  test.each([undefined, null, 0, -1, 1.5, Number.NaN, '7', 7n, 2 ** 53])('rejects the id %s', async (id) => {
    const handling = new EventDeduplicator().handleOnce({ id: id as number }, () => expect.fail('handled'))
    await expect(handling).rejects.toThrow(TypeError)
  })
})

test.each([null, -1, 1.5, Number.NaN, Number.POSITIVE_INFINITY, '7', 7n, 2 ** 53])(
  'a deduplicator rejects the stored id %s',
  (lastId) => {
    expect(() => new EventDeduplicator(lastId as number)).toThrow(
      /^EventDeduplicator expects the id of the last handled event/,
    )
  },
)
