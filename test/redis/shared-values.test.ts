import { describe, expect, test } from 'vitest'
import { SharedValues } from '../../server/src/redis/shared-values.ts'
import { openRedis, untilAvailable } from './open-redis.ts'
import { startValkey, valkeyIsMissing } from './valkey-server.ts'

interface Value {
  text: string
  at: Date
}

const TTL_SECONDS = 600
const newValue = (text: string): Value => ({ text, at: new Date(0) })
const toValue = (value: unknown) => (typeof (value as Value).text === 'string' ? (value as Value) : undefined)

/** The values as a number of servers share them. */
async function openServers(
  redisUrl: string,
  { count = 2, callMs }: { count?: number; callMs?: number | undefined } = {},
) {
  const opened = Array.from({ length: count }, () => openRedis(redisUrl, callMs === undefined ? undefined : { callMs }))
  for (const { redis } of opened) redis.start()
  for (const { redis } of opened) await untilAvailable(redis)
  const values = opened.map(
    ({ redis }) => new SharedValues(redis, { name: 'test', ttlSeconds: TTL_SECONDS, check: toValue }),
  )
  const [one, other] = values
  if (!one || !other) throw new Error('Two servers are needed.')
  return {
    one,
    other,
    values,
    redis: opened.map(({ redis }) => redis),
    [Symbol.dispose]: () => opened.forEach(({ redis }) => void redis.close()),
  }
}

type Servers = Awaited<ReturnType<typeof openServers>>

/** A read that lasts until it is finished. */
function slowRead() {
  const { promise, resolve, reject } = Promise.withResolvers<Value>()
  const began = Promise.withResolvers<void>()
  const read = () => {
    began.resolve()
    return promise
  }
  return { read, began: began.promise, resolve, reject }
}

const never = async () => expect.fail('The value must not be read again.')

describe.skipIf(valkeyIsMissing)(`A value that servers share${valkeyIsMissing ? ` (${valkeyIsMissing})` : ''}`, () => {
  test('is read by one server, and the others wait for it', async () => {
    await using valkey = await startValkey()
    using servers = await openServers(valkey.url, { count: 4 })
    const slow = slowRead()
    const calls = servers.values.map((server) => server.get('a', slow.read))
    await slow.began
    let reads = 0
    const more = servers.values.map((server) =>
      server.get('a', async () => {
        reads++
        return newValue('another')
      }),
    )
    slow.resolve(newValue('a'))
    for (const call of [...calls, ...more]) expect((await call).value).toEqual(newValue('a'))
    expect(reads).toBe(0)
    // Another key is another value.
    expect((await servers.one.get('b', async () => newValue('b'))).value).toEqual(newValue('b'))
    const { value, ageMs } = await servers.other.get('a', never)
    expect(value).toEqual(newValue('a'))
    expect(ageMs).toBeLessThan(TTL_SECONDS * 1_000)
  })

  test('is read by another server when reading fails, or does not end', async () => {
    await using valkey = await startValkey()
    using servers = await openServers(valkey.url)
    const slow = slowRead()
    const failing = servers.one.get('a', slow.read)
    await slow.began
    const waiting = servers.other.get('a', async () => newValue('of the other'))
    slow.reject(new Error('no connection'))
    await expect(failing).rejects.toThrow('no connection')
    expect((await waiting).value).toEqual(newValue('of the other'))

    const stuck = slowRead()
    const endless = servers.one.get('b', stuck.read)
    await stuck.began
    expect((await servers.other.get('b', async () => newValue('of the other'))).value).toEqual(newValue('of the other'))
    // Too late: the value that was stored meanwhile remains.
    stuck.resolve(newValue('late'))
    expect((await endless).value).toEqual(newValue('late'))
    expect((await servers.one.get('b', never)).value).toEqual(newValue('of the other'))
  })

  test('is not used after it was invalidated, not even if it was being read', async () => {
    await using valkey = await startValkey()
    using servers = await openServers(valkey.url)
    await servers.one.get('a', async () => newValue('old'))
    await servers.other.invalidate()
    const slow = slowRead()
    const reading = servers.one.get('a', slow.read)
    await slow.began
    await servers.other.invalidate()
    slow.resolve(newValue('old'))
    await reading
    expect((await servers.other.get('a', async () => newValue('new'))).value).toEqual(newValue('new'))
    expect((await servers.one.get('a', never)).value).toEqual(newValue('new'))
  })

  test('is not used by a server that could not invalidate it, until it is invalidated', async () => {
    await using valkey = await startValkey()
    using servers = await openServers(valkey.url, { callMs: 2_000 })
    await servers.one.get('a', async () => newValue('old'))
    await valkey.pause()
    for (const redis of servers.redis) await untilAvailable(redis, false)
    await servers.one.invalidate()
    expect(servers.one.isInvalidationPending).toBe(true)
    expect((await servers.one.get('a', async () => newValue('new'))).value).toEqual(newValue('new'))
    await valkey.resume()
    for (const redis of servers.redis) await untilAvailable(redis)
    expect((await servers.one.get('a', async () => newValue('new'))).value).toEqual(newValue('new'))
    expect((await servers.other.get('a', never)).value).toEqual(newValue('new'))
  })

  test('is read again if a server of another version has stored something else', async () => {
    await using valkey = await startValkey()
    using servers = await openServers(valkey.url)
    const foreign = new SharedValues(servers.redis[0] ?? expect.fail(), {
      name: 'test',
      ttlSeconds: TTL_SECONDS,
      check: (value) => value as { words: string[] },
    })
    await foreign.get('a', async () => ({ words: ['a'] }))
    expect((await servers.other.get('a', async () => newValue('a'))).value).toEqual(newValue('a'))
  })

  /** What the test does to the keys of the values. */
  const inRedis = (servers: Servers, command: string, ...args: (string | number)[]) =>
    servers.redis[0]?.run((client) => client.call(command, ...args))
  const keysOf = async (servers: Servers, pattern: string) => (await inRedis(servers, 'keys', pattern)) as string[]

  test.each([
    ['has another form', (text: string) => JSON.stringify({ ttl: 1, text })],
    ['begins with something else than its lifetime', (text: string) => `now ${text.slice(text.indexOf(' ') + 1)}`],
    ['is not JSON', () => '600000 a'],
    ['has no lifetime', undefined],
    ['lasts longer than its lifetime, because the clock of Redis was set back', undefined, 'pexpire'],
  ])('is read again if the value in Redis %s', async (_, change, command = 'persist') => {
    await using valkey = await startValkey()
    using servers = await openServers(valkey.url)
    await servers.one.get('a', async () => newValue('old'))
    // Stored a moment later.
    await expect.poll(() => keysOf(servers, '*:a')).toHaveLength(1)
    const [key = ''] = await keysOf(servers, '*:a')
    const text = (await inRedis(servers, 'get', key)) as string
    if (change) await inRedis(servers, 'set', key, change(text), 'keepttl')
    else await inRedis(servers, command, key, ...(command === 'pexpire' ? [TTL_SECONDS * 2_000] : []))
    const { value, ageMs } = await servers.other.get('a', async () => newValue('new'))
    expect(value).toEqual(newValue('new'))
    expect(ageMs).toBe(0)
  })

  test('is not used after it was invalidated, not even if Redis evicts every other key', async () => {
    await using valkey = await startValkey()
    using servers = await openServers(valkey.url)
    await servers.one.get('a', async () => newValue('old'))
    await expect.poll(() => keysOf(servers, '*:a')).toHaveLength(1)
    const values = await keysOf(servers, '*:a')
    await servers.one.invalidate()
    for (const key of await keysOf(servers, '*')) if (!values.includes(key)) await inRedis(servers, 'del', key)
    expect((await servers.other.get('a', async () => newValue('new'))).value).toEqual(newValue('new'))
  })

  test('is read without the server that began to read it, even if its time does not end', async () => {
    await using valkey = await startValkey()
    using servers = await openServers(valkey.url)
    const stuck = slowRead()
    const endless = servers.one.get('a', stuck.read)
    await stuck.began
    for (const key of await keysOf(servers, '*:reader')) await inRedis(servers, 'persist', key)
    expect((await servers.other.get('a', async () => newValue('of the other'))).value).toEqual(newValue('of the other'))
    stuck.resolve(newValue('late'))
    await endless
  })

  test('leaves no key without a lifetime in Redis', async () => {
    await using valkey = await startValkey()
    using servers = await openServers(valkey.url)
    await servers.one.get('a', async () => newValue('a'))
    await servers.one.invalidate()
    const slow = slowRead()
    const reading = servers.other.get('b', slow.read)
    await slow.began
    const keys = await keysOf(servers, '*')
    expect(keys.length).toBeGreaterThan(2)
    for (const key of keys) expect(Number(await inRedis(servers, 'pttl', key)), key).toBeGreaterThan(0)
    slow.resolve(newValue('b'))
    await reading
  })

  test('has its age, whatever lifetime the server has that stored it', async () => {
    await using valkey = await startValkey()
    using servers = await openServers(valkey.url)
    const withLifetime = (ttlSeconds: number) =>
      new SharedValues(servers.redis[0] ?? expect.fail(), { name: 'test', ttlSeconds, check: toValue })
    const began = performance.now()
    await withLifetime(86_400).get('a', async () => newValue('a'))
    await expect.poll(async () => (await withLifetime(60).get('a', never)).ageMs).toBeGreaterThan(50)
    const { ageMs } = await withLifetime(60).get('a', never)
    expect(ageMs).toBeLessThanOrEqual(performance.now() - began + 1)
  })

  test('is read by each server while Redis is gone', async () => {
    await using valkey = await startValkey()
    using servers = await openServers(valkey.url)
    const slow = slowRead()
    const reading = servers.one.get('a', slow.read)
    await slow.began
    const waiting = servers.other.get('a', async () => newValue('of the other'))
    await valkey.kill()
    // The other server does not wait until the first one has read it.
    expect((await waiting).value).toEqual(newValue('of the other'))
    slow.resolve(newValue('of the first'))
    expect((await reading).value).toEqual(newValue('of the first'))
  })
})
