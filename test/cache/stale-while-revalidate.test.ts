import { describe, expect, it, vi } from 'vitest'
import { Aged, StaleWhileRevalidateCache } from '../../server/src/cache.ts'
import { eventually } from '../setup/eventually.ts'

/** A reader whose calls resolve when the test decides. */
function controlledReader() {
  const pending: PromiseWithResolvers<{ read: number }>[] = []
  const read = vi.fn(() => {
    const result = Promise.withResolvers<{ read: number }>()
    pending.push(result)
    return result.promise
  })
  return { read, resolve: (index: number) => pending[index]?.resolve({ read: index }), pending }
}

const TTL = { ttlSeconds: 10, max: 5 }

describe('a cached value', () => {
  it('is read once for concurrent calls', async () => {
    const { read, resolve } = controlledReader()
    const cache = new StaleWhileRevalidateCache<string, { read: number }>(TTL, read)
    const values = Array.from({ length: 50 }, () => cache.get('key'))
    resolve(0)
    expect(new Set(await Promise.all(values))).toEqual(new Set([{ read: 0 }]))
    expect(read).toHaveBeenCalledTimes(1)
    expect(await cache.get('key')).toEqual({ read: 0 })
    expect(read).toHaveBeenCalledTimes(1)
  })

  it('is returned after it has expired, while it is read again', async () => {
    let now = 1_000
    const { read, resolve } = controlledReader()
    const cache = new StaleWhileRevalidateCache<string, { read: number }>({ ...TTL, clock: { now: () => now } }, read)
    const first = cache.get('key')
    resolve(0)
    await first
    now += 11_000
    expect(await cache.get('key')).toEqual({ read: 0 })
    expect(read).toHaveBeenCalledTimes(2)
    resolve(1)
    await eventually(() => cache.get('key')).toEqual({ read: 1 })
  })

  it.each([
    [9_000, 999, 'fresh'],
    [9_000, 1_001, 'stale'],
    [9_000, 11_001, 'read again'],
    [10_000, 9_999, 'stale'],
  ])(
    'is %d ms old when it is read from another server, and after %d ms more it is %s',
    async (ageMs, passed, state) => {
      let now = 1_000
      const { read, resolve } = controlledReader()
      const aged = async () => new Aged(await read(), ageMs)
      const cache = new StaleWhileRevalidateCache<string, { read: number }>({ ...TTL, clock: { now: () => now } }, aged)
      const first = cache.get('key')
      resolve(0)
      expect(await first).toEqual({ read: 0 })
      now += passed
      const again = cache.get('key')
      expect(read).toHaveBeenCalledTimes(state === 'fresh' ? 1 : 2)
      resolve(1)
      expect(await again).toEqual({ read: state === 'read again' ? 1 : 0 })
    },
  )

  it('is not returned when it is older than twice its TTL', async () => {
    let now = 1_000
    const { read, resolve } = controlledReader()
    const cache = new StaleWhileRevalidateCache<string, { read: number }>({ ...TTL, clock: { now: () => now } }, read)
    const first = cache.get('key')
    resolve(0)
    await first
    now += 20_001
    const value = cache.get('key')
    resolve(1)
    expect(await value).toEqual({ read: 1 })
  })

  it('is read again when it is invalidated while it is being read', async () => {
    const { read, resolve } = controlledReader()
    const cache = new StaleWhileRevalidateCache<string, { read: number }>(TTL, read)
    const values = cache.get('key')
    cache.invalidate()
    await eventually(() => read.mock.calls.length).toBe(2)
    resolve(0)
    resolve(1)
    expect(await values).toEqual({ read: 1 })
  })

  it('is not stored when reading fails, and every caller gets the error', async () => {
    const read = vi.fn().mockRejectedValueOnce(new Error('gone')).mockResolvedValueOnce({ read: 1 })
    const cache = new StaleWhileRevalidateCache<string, { read: number }>(TTL, read)
    await expect(Promise.all([cache.get('key'), cache.get('key')])).rejects.toThrow('gone')
    expect(await cache.get('key')).toEqual({ read: 1 })
  })

  it('is not stored with a TTL of 0', async () => {
    const read = vi.fn(async () => ({ read: 1 }))
    const cache = new StaleWhileRevalidateCache<string, { read: number }>({ ttlSeconds: 0, max: 5 }, read)
    await cache.get('key')
    await cache.get('key')
    expect(read).toHaveBeenCalledTimes(2)
  })
})
