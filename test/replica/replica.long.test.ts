import { type Pool, type Reader, Replica } from '@pointwise/db'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { emptyDatabase, run } from '../setup/database.ts'
import { type FaultProxy, faultProxy } from '../setup/fault-proxy.ts'
import { type CopiedDatabase, copiedDatabase } from './copied-database.ts'

const LAG_MS_MAX = 5_000
const PAUSE_MS = 5_000

let primary: Pool
let throughProxy: Pool
let toPrimary: FaultProxy
let toReplica: FaultProxy
let copy: CopiedDatabase
let replica: Replica
let now: number
let reports: string[]

beforeEach(async () => {
  let url: string
  ;({ db: primary, url } = await emptyDatabase())
  toPrimary = await faultProxy(url)
  ;({ db: throughProxy } = await emptyDatabase({}, () => toPrimary.url))
  copy = await copiedDatabase()
  toReplica = await faultProxy(copy.url)
  now = 0
  reports = []
  replica = new Replica({
    primary: throughProxy,
    url: toReplica.url,
    connections: 2,
    clock: { now: () => now },
    onUsed: () => reports.push('used'),
    onUnused: (reason) => reports.push(reason),
  })
  for (const id of [1, 2, 3]) await addEvent(primary, id)
  await copy.catchUp()
})
afterEach(async () => {
  await replica.close()
  await toReplica.close()
  await toPrimary.close()
  await Promise.all([primary.destroy(), throughProxy.destroy(), copy.db.destroy()])
})

const addEvent = (db: Pool, id: number) =>
  run(db, `insert into events (id, type, \`key\`, payload) values (${id}, 'order.paid', 'user:${id}', '{}')`)

/** Which database answers a read. */
async function answeredBy(): Promise<'primary' | 'replica'> {
  const [row] = await replica.read((db: Reader) => run<{ name: string }>(db, 'select database() as name'))
  return row?.name.endsWith('_replica') ? 'replica' : 'primary'
}

/** Compares once a second until this much time has passed. */
async function pass(ms: number): Promise<void> {
  for (const end = now + ms; now < end; ) {
    now += 1_000
    await replica.probe()
  }
}

test('a replica that contains what the primary contains is used, and not before it was compared', async () => {
  expect(await answeredBy()).toBe('primary')
  expect(reports).toEqual([])
  await replica.probe()
  expect(await answeredBy()).toBe('replica')
  expect(reports).toEqual(['used'])
  expect(replica.fallbacks).toBe(1)
  await pass(60_000)
  expect(await answeredBy()).toBe('replica')
  expect(replica.lagSeconds).toBe(0)
})

test('the events of an empty shop are equal', async () => {
  await run(primary, 'delete from events')
  await copy.catchUp()
  await replica.probe()
  expect(await answeredBy()).toBe('replica')
})

describe('a replica is used until it lacks something for five seconds, and again when it has caught up:', () => {
  test.each([
    ['the newest event', () => addEvent(primary, 4)],
    ['an event that was committed after a later one', () => run(copy.db, 'delete from events where id = 2')],
  ])('%s', async (_, change) => {
    await replica.probe()
    await change()
    await pass(LAG_MS_MAX)
    expect(await answeredBy()).toBe('replica')
    now += 1
    expect(await answeredBy()).toBe('primary')
    await replica.probe()
    expect(reports).toEqual(['used', 'it is more than 5 seconds behind the primary'])
    expect(replica.lagSeconds).toBeCloseTo(5.001)
    await copy.catchUp()
    await replica.probe()
    expect(await answeredBy()).toBe('replica')
    expect(reports.slice(2)).toEqual(['used'])
  })

  test('four seconds behind a primary that is written to', async () => {
    await replica.probe()
    for (let id = 4; id < 20; id++) {
      await addEvent(primary, id)
      await copy.catchUp()
      await run(copy.db, `delete from events where id > ${Math.max(3, id - 4)}`)
      await pass(1_000)
      expect(await answeredBy()).toBe('replica')
    }
    expect(reports).toEqual(['used'])
  })
})

describe('a replica is not used', () => {
  test.each([
    [
      'when it contains events that the primary lacks',
      () => addEvent(copy.db, 9),
      /^it contains events that the primary does not contain$/,
    ],
    [
      'when its events are those of another shop',
      () => run(copy.db, "update events set `key` = 'user:77' where id = 3"),
      /^its events differ from those of the primary$/,
    ],
    ['when it refuses connections', async () => toReplica.disable(), /ECONNRESET|ECONNREFUSED|closed/],
    ['when it never answers a connection', async () => toReplica.stall(), /TIMEDOUT|became free within/],
    [
      'when its version is not supported',
      async () =>
        toReplica.rewrite(/^\s*show session variables[\s\S]*/, "select 'version' as Variable_name, '8.0.40' as Value"),
      /The version is 8\.0\.40\. Expected MySQL 8\.4/,
    ],
  ])('%s', async (_, change, reason) => {
    await change()
    await replica.probe()
    expect(await answeredBy()).toBe('primary')
    expect(reports).toEqual([expect.stringMatching(reason)])
  })

  test('while the primary does not respond, from five seconds on', async () => {
    await replica.probe()
    toPrimary.disable()
    await pass(LAG_MS_MAX)
    expect(replica.isUsed).toBe(true)
    await pass(1_000)
    expect(replica.isUsed).toBe(false)
    expect(reports).toEqual([
      'used',
      expect.stringMatching(/^it may be more than 5 seconds behind .* could not be asked: /),
    ])
    toPrimary.enable()
    await pass(1_000)
    expect(replica.isUsed).toBe(true)
  })
})

describe('a read that fails on the replica is repeated on the primary, and the replica is not used for five seconds:', () => {
  test.each([
    ['an error', { errno: 1054 }],
    ['a lost connection', 'disconnect before'],
    ['a response that does not arrive', 'hang'],
  ] as const)('%s', async (_, fault) => {
    await replica.probe()
    toReplica.inject(fault, /^select database/)
    expect(await answeredBy()).toBe('primary')
    expect(reports).toEqual(['used', expect.stringMatching(/^a read failed: /)])
    await pass(PAUSE_MS - 1_000)
    expect(await answeredBy()).toBe('primary')
    await pass(1_000)
    expect(await answeredBy()).toBe('replica')
    expect(reports).toHaveLength(3)
  })
})
