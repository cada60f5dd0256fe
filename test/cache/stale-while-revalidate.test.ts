import { describe, expect, it, vi } from 'vitest'
import { StaleWhileRevalidateCache } from '../../server/src/cache.ts'
import { eventually } from '../setup/eventually.ts'

/** Answers when it is told to. */
function slowReader() {
  const waiting: PromiseWithResolvers<{ read: number }>[] = []
  const read = vi.fn(() => {
    const answer = Promise.withResolvers<{ read: number }>()
    waiting.push(answer)
    return answer.promise
  })
  return { read, answer: (index: number) => waiting[index]?.resolve({ read: index }), waiting }
}

const TTL = { ttlSeconds: 10, max: 5 }

describe('what is kept', () => {
  it('is read once, however many ask', async () => {
    const { read, answer } = slowReader()
    const kept = new StaleWhileRevalidateCache<string, { read: number }>(TTL, read)
    const asked = Array.from({ length: 50 }, () => kept.get('key'))
    answer(0)
    expect(new Set(await Promise.all(asked))).toEqual(new Set([{ read: 0 }]))
    expect(read).toHaveBeenCalledTimes(1)
    expect(await kept.get('key')).toEqual({ read: 0 })
    expect(read).toHaveBeenCalledTimes(1)
  })

  it('is given out once more when its time is up, while it is read again', async () => {
    let now = 1_000
    const { read, answer } = slowReader()
    const kept = new StaleWhileRevalidateCache<string, { read: number }>({ ...TTL, clock: { now: () => now } }, read)
    const first = kept.get('key')
    answer(0)
    await first
    now += 11_000
    expect(await kept.get('key')).toEqual({ read: 0 })
    expect(read).toHaveBeenCalledTimes(2)
    answer(1)
    await eventually(() => kept.get('key')).toEqual({ read: 1 })
  })

  it('is never given out at twice its age', async () => {
    let now = 1_000
    const { read, answer } = slowReader()
    const kept = new StaleWhileRevalidateCache<string, { read: number }>({ ...TTL, clock: { now: () => now } }, read)
    const first = kept.get('key')
    answer(0)
    await first
    now += 20_001
    const late = kept.get('key')
    answer(1)
    expect(await late).toEqual({ read: 1 })
  })

  it('is read again when it was forgotten while it was being read', async () => {
    const { read, answer } = slowReader()
    const kept = new StaleWhileRevalidateCache<string, { read: number }>(TTL, read)
    const asked = kept.get('key')
    kept.invalidate()
    await eventually(() => read.mock.calls.length).toBe(2)
    answer(0)
    answer(1)
    expect(await asked).toEqual({ read: 1 })
  })

  it('is nothing after a failure, which reaches whoever asked', async () => {
    const read = vi.fn().mockRejectedValueOnce(new Error('gone')).mockResolvedValueOnce({ read: 1 })
    const kept = new StaleWhileRevalidateCache<string, { read: number }>(TTL, read)
    await expect(Promise.all([kept.get('key'), kept.get('key')])).rejects.toThrow('gone')
    expect(await kept.get('key')).toEqual({ read: 1 })
  })

  it('is nothing at all with a lifetime of 0', async () => {
    const read = vi.fn(async () => ({ read: 1 }))
    const kept = new StaleWhileRevalidateCache<string, { read: number }>({ ttlSeconds: 0, max: 5 }, read)
    await kept.get('key')
    await kept.get('key')
    expect(read).toHaveBeenCalledTimes(2)
  })
})
