import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { runApart, runCall } from '../../server/src/redis/call-wait.ts'
import { startTcpProxy } from '../setup/tcp-proxy.ts'
import { openRedis, untilAvailable } from './open-redis.ts'
import { newValkey, startValkey, valkeyIsMissing } from './valkey-server.ts'

const SHARED = { level: 'info', message: 'Redis is available: limits, caches and wake-ups are shared' }
const ALONE = { level: 'warn', message: 'Redis is not available: this server limits, caches and polls by itself' }

describe.skipIf(valkeyIsMissing)(`the connection to Redis${valkeyIsMissing ? ` (${valkeyIsMissing})` : ''}`, () => {
  test('is used when Redis appears after the server, and again after Redis was gone, with one log line for each change', async () => {
    await using valkey = await newValkey()
    using opened = openRedis(valkey.url)
    const { redis, log } = opened
    redis.start()
    await expect.poll(() => log).toMatchObject([ALONE])
    expect(redis.isAvailable).toBe(false)

    await valkey.start()
    await untilAvailable(redis)
    await valkey.kill()
    await untilAvailable(redis, false)
    await expect(redis.run((client) => client.ping())).rejects.toThrow('Redis is not available')
    await valkey.start()
    await untilAvailable(redis)

    expect(await redis.run((client) => client.ping())).toBe('PONG')
    expect(log).toMatchObject([ALONE, SHARED, ALONE, SHARED])
    expect(redis.outages).toBe(2)
  })

  test('rejects the commands under way when it is lost, and sends none of them again', async () => {
    await using valkey = await startValkey()
    using direct = openRedis(valkey.url)
    await using proxy = await startTcpProxy(valkey.url)
    using opened = openRedis(proxy.url.replace('http:', 'redis:'))
    for (const { redis } of [direct, opened]) redis.start()
    for (const { redis } of [direct, opened]) await untilAvailable(redis)
    // Redis executes nothing of other clients for as long as it is paused.
    await direct.redis.run((client) => client.call('client', 'pause', '600000', 'write'))
    const counted = Array.from({ length: 10 }, () => opened.redis.run((client) => client.incr('counter')))
    proxy.disconnectAll()
    for (const each of counted) await expect(each).rejects.toThrow('Redis became unavailable')
    await direct.redis.run((client) => client.call('client', 'unpause'))
    await untilAvailable(opened.redis)
    expect(Number(await direct.redis.run((client) => client.get('counter')))).toBe(0)
  })

  test('is not used when all commands of a call together take too long', async () => {
    await using valkey = await startValkey()
    await using proxy = await startTcpProxy(valkey.url)
    using opened = openRedis(proxy.url.replace('http:', 'redis:'), { callMs: 2_000 })
    const { redis, log } = opened
    redis.start()
    await untilAvailable(redis)
    proxy.delayMs = 250
    const ping = () => redis.run((client) => client.ping())
    const oneByOne = async (count: number, run: typeof runCall) => {
      for (let n = 0; n < count; n++) await run(ping)
    }
    // Commands that run at the same time count once, and those that the call does not wait for do not count.
    await runCall(() => Promise.all([ping(), ping(), ping(), ping(), ping()]))
    await runCall(() => oneByOne(5, runApart))
    await expect(runCall(() => oneByOne(5, (work) => work()))).rejects.toThrow('no reply within')
    expect(log).toMatchObject([SHARED, ALONE])
  })

  test('delivers what other processes publish, and nothing of a shop with another database number', async () => {
    await using valkey = await startValkey()
    const received: string[] = []
    const open = (path: string) => {
      const opened = openRedis(`${valkey.url}${path}`)
      opened.redis.subscribe('news', (message) => received.push(`${path}: ${message}`))
      opened.redis.start()
      return opened
    }
    using one = open('/1')
    using other = open('/1')
    using foreign = open('/2')
    for (const { redis } of [one, other, foreign]) await untilAvailable(redis)
    await foreign.redis.publish('news', 'foreign')
    await one.redis.publish('news', 'a b')
    await expect.poll(() => received).toEqual(['/1: a b'])

    // Redis closes the connections of all others.
    await one.redis.run((client) => client.call('client', 'kill', 'type', 'pubsub'))
    await expect.poll(() => other.log).toMatchObject([SHARED, ALONE, SHARED])
    await one.redis.publish('news', 'c')
    await expect.poll(() => received).toEqual(['/1: a b', '/1: c'])
  })

  test('needs no more permissions than docs/operations.md lists', async () => {
    const page = readFileSync(join(import.meta.dirname, '../../docs/operations.md'), 'utf8')
    const [, permissions = ''] = /needs the permissions `([^`]+)`/.exec(page) ?? []
    const account = (rules: string[]) => ['--user', 'shop', 'on', '>secret', ...rules]
    for (const [rules, isAvailable] of [
      [permissions.split(' '), true],
      [permissions.split(' ').filter((rule) => !rule.startsWith('&')), false],
    ] as const) {
      await using valkey = await startValkey(account([...rules]))
      using opened = openRedis(valkey.url.replace('//', '//shop:secret@'))
      opened.redis.start()
      await expect
        .poll(() => opened.log)
        .toMatchObject([isAvailable ? SHARED : { ...ALONE, reason: expect.stringMatching(/NOPERM|permissions/) }])
    }
  })

  test.each([
    ['needs another password', ['--requirepass', 'the-right-password'], /WRONGPASS/],
    ['refuses to write', ['--min-replicas-to-write', '1'], /NOREPLICAS/],
    ['is out of memory', ['--maxmemory', '1'], /OOM/],
    ['is a replica', ['--replicaof', '127.0.0.1 1'], /READONLY/],
    ['has fewer databases', ['--databases', '1'], /index is out of range/],
  ])('is not used, and reported once without the password, when Redis %s', async (_, options, reason) => {
    await using valkey = await startValkey(options)
    using opened = openRedis(valkey.url.replace('//', '//:the-wrong-password@').concat('/7'))
    opened.redis.start()
    await expect.poll(() => opened.log).toHaveLength(1)
    expect(opened.log).toMatchObject([{ ...ALONE, reason: expect.stringMatching(reason) }])
    expect(JSON.stringify(opened.log)).not.toContain('password@')
    expect(JSON.stringify(opened.log)).not.toContain('the-')
  })
})
