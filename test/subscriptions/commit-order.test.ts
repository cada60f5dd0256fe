import { connect, type Pool } from '@pointwise/db'
import { createConnection } from 'mysql2/promise'
import { afterEach, beforeEach, expect, onTestFinished, test } from 'vitest'
import { SubscriptionHub, type SubscriptionHubOptions } from '../../server/src/subscriptions/hub.ts'
import { emptyDatabase, run } from '../setup/database.ts'
import { faultProxy } from '../setup/fault-proxy.ts'
import { statementsIn } from '../setup/statements.ts'

const QUICK = { emptyMs: 50, uncommittedMs: 60_000 }
const soon = { timeout: 10_000, interval: 5 }

let url: string
let db: Pool
/** How often the outbox was read. */
let looks: number
beforeEach(async () => {
  looks = 0
  const options = {
    log: (event: Parameters<typeof statementsIn>[0]) => {
      looks += statementsIn(event).filter(({ sql }) => sql.includes('from `events`')).length
    },
  }
  ;({ url, db } = await emptyDatabase(options))
})
afterEach(() => db.destroy())

/** A session of its own that writes events by hand. */
async function session() {
  const connection = await createConnection(url)
  onTestFinished(() => connection.end())
  const run = async (statement: string) => {
    const [result] = await connection.query(statement)
    return (result as { insertId: number }).insertId
  }
  return {
    begin: () => run('begin'),
    commit: () => run('commit'),
    rollback: () => run('rollback'),
    /** Writes an event of user 1 and returns its id. */
    insert: (amount = 1) =>
      run(`insert into events (type, \`key\`, payload) values ('points.charged', 'user:1',
      '{"userId":1,"historyId":1,"amount":${amount},"balance":1}')`),
  }
}

interface Listening {
  ids: number[]
  error: unknown
}

/** Follows user 1 in-process. */
async function listen(live: SubscriptionHub, after?: number): Promise<Listening> {
  const gone = new AbortController()
  onTestFinished(() => gone.abort())
  const all: Listening = { ids: [], error: undefined }
  const wish = { caller: 'user:1', topics: ['user:1'], changeOf: () => true, signal: gone.signal, after }
  const told = await live.open(wish)
  const read = async () => {
    for await (const { id } of told) all.ids.push(id)
  }
  read().catch((error) => {
    all.error = error
  })
  return all
}

const lively = (options: SubscriptionHubOptions = {}) => new SubscriptionHub(db, { gapTimeouts: QUICK, ...options })

const looked = (times: number) => {
  const until = looks + times
  return expect.poll(() => looks, soon).toBeGreaterThanOrEqual(until)
}

test('what commits after something with a higher id is told, before it, however late', async () => {
  const [first, second] = [await session(), await session()]
  const listening = await listen(lively())
  await first.begin()
  const early = await first.insert()
  const late = await second.insert()
  expect(late).toBeGreaterThan(early)
  // Ten looks at a gap take longer than an id without a row is waited for.
  await looked(30)
  expect(listening.ids).toEqual([])
  const next = await second.insert()
  await first.commit()
  await expect.poll(() => listening.ids, soon).toEqual([early, late, next])
})

test('whoever comes while a transaction is under way is told of it when it commits', async () => {
  const [first, second] = [await session(), await session()]
  await first.begin()
  const early = await first.insert()
  await second.insert()
  const listening = await listen(lively())
  await first.commit()
  await expect.poll(() => listening.ids, soon).toContain(early)
})

test('whoever resumes behind a transaction that is under way misses nothing and is told nothing twice', async () => {
  const [first, second] = [await session(), await session()]
  const had = await second.insert()
  await first.begin()
  const early = await first.insert()
  const late = await second.insert()
  const [listening, other] = [await listen(lively(), had), await listen(lively(), had)]
  await looked(10)
  await first.commit()
  await expect.poll(() => listening.ids, soon).toEqual([early, late])
  await expect.poll(() => other.ids, soon).toEqual([early, late])
})

test('an id that was rolled back holds nothing up for long', async () => {
  const [first, second] = [await session(), await session()]
  // With the patience of a real server.
  const listening = await listen(new SubscriptionHub(db))
  await second.insert()
  await first.begin()
  await first.insert()
  await first.rollback()
  await second.insert()
  await expect.poll(() => listening.ids.length, soon).toBe(2)
})

test('whoever comes after a rollback need not wait for it, the second time', async () => {
  const [first, second] = [await session(), await session()]
  await second.insert()
  await first.begin()
  await first.insert()
  await first.rollback()
  const had = await second.insert()
  const emptyMs = 2_000
  const live = lively({ gapTimeouts: { ...QUICK, emptyMs } })
  await listen(live)
  const before = performance.now()
  const listening = await listen(live, had)
  const next = await second.insert()
  await expect.poll(() => listening.ids, soon).toEqual([next])
  expect(performance.now() - before).toBeLessThan(emptyMs)
})

test('a transaction that never ends is passed over, and the operator is told', async () => {
  const [first, second] = [await session(), await session()]
  const problems: object[] = []
  const listening = await listen(
    lively({ gapTimeouts: { emptyMs: 20, uncommittedMs: 100 }, onProblem: (_, details) => problems.push(details) }),
  )
  await first.begin()
  const stuck = await first.insert()
  const late = await second.insert()
  await expect.poll(() => listening.ids, soon).toEqual([late])
  expect(problems).toEqual([{ ids: [stuck] }])
})

test('a thousand events of one transaction are told in order', async () => {
  const first = await session()
  const listening = await listen(lively())
  await first.begin()
  const ids: number[] = []
  for (let n = 0; n < 1_100; n++) ids.push(await first.insert())
  await first.commit()
  await expect.poll(() => listening.ids.length, soon).toBe(1_100)
  expect(listening.ids).toEqual(ids)
})

test('however much waits behind something that is not committed, it is told when that is', async () => {
  const [first, second] = [await session(), await session()]
  const listening = await listen(lively())
  await first.begin()
  const early = await first.insert()
  const digits = '(select 0 union select 1 union select 2 union select 3 union select 4)'
  const before = looks
  await run(
    db,
    `insert into events (type, \`key\`, payload) select 'points.charged', 'user:2', '{}'
    from ${['a', 'b', 'c', 'd', 'e', 'f'].map((name) => `${digits} ${name}`).join()}`,
  )
  const late = await second.insert()
  // Ten pages of a thousand, and then no more.
  await expect.poll(() => looks - before, soon).toBeGreaterThan(14)
  await first.commit()
  await expect.poll(() => listening.ids, soon).toEqual([early, late])
})

test('whoever has left before it is opened is not waited for, nor kept', async () => {
  const live = lively()
  const wish = { caller: '', topics: ['user:1'], changeOf: () => true }
  await expect(live.open({ ...wish, signal: AbortSignal.abort() })).rejects.toMatchObject({
    refusal: { code: 'service_busy' },
  })
  expect(live.size).toBe(0)
})

test('for whoever has left, no more is read of what they missed', async () => {
  const writer = await session()
  await run(db, `insert into events (id, type, \`key\`, payload) values (500000, 'points.charged', 'user:2', '{}')`)
  const last = await writer.insert()
  const gone = new AbortController()
  const wish = { caller: '', topics: ['user:1'], changeOf: () => true, after: 1, signal: gone.signal }
  const told = await lively().open(wish)
  const before = looks
  const next = told.next()
  gone.abort()
  expect(await next).toEqual({ done: true, value: undefined })
  expect(looks - before).toBeLessThan(last / 10_000 / 2)
})

test('the place to come back to moves on with what is told to others', async () => {
  const writer = await session()
  const before = await writer.insert()
  const told = await lively().open({ caller: '', topics: ['user:2'], changeOf: () => true })
  onTestFinished(() => void told.return())
  expect([told.since, told.position()]).toEqual([before, undefined])
  const next = told.next()
  await expect.poll(() => told.position(), soon).toBe(before)
  const other = await writer.insert()
  await expect.poll(() => told.position(), soon).toBe(other)
  await run(db, `insert into events (type, \`key\`, payload) values ('points.charged', 'user:2', '{"userId":2}')`)
  expect(await next).toMatchObject({ done: false, value: { id: other + 1 } })
  expect(told.position()).toBeUndefined()
})

test('the place to come back to is that of the outbox as it is, also when it was emptied meanwhile', async () => {
  const live = lively()
  const gone = new AbortController()
  const told = await live.open({ caller: '', topics: ['user:1'], changeOf: () => true, signal: gone.signal })
  const next = told.next()
  const writer = await session()
  await run(db, `insert into events (id, type, \`key\`, payload) values (900000, 'points.charged', 'user:2', '{}')`)
  await expect.poll(() => told.position(), soon).toBe(900_000)
  gone.abort()
  await next
  await run(db, 'truncate table events')
  const first = await writer.insert()
  const again = await live.open({ caller: '', topics: ['user:1'], changeOf: () => true })
  onTestFinished(() => void again.return())
  void again.next()
  await expect.poll(() => again.position(), soon).toBe(first)
})

test('the outbox is not read while nobody listens', async () => {
  const live = lively()
  const gone = new AbortController()
  await live.open({ caller: '', topics: ['user:1'], changeOf: () => true, signal: gone.signal })
  await looked(3)
  gone.abort()
  expect(live.size).toBe(0)
  const writer = await session()
  await writer.insert()
  const before = looks
  for (const start = performance.now(); performance.now() - start < 300; ) await writer.insert()
  // One look may have been under way.
  expect(looks - before).toBeLessThanOrEqual(1)
})

test('after an outage of the database all that was committed meanwhile is told', async () => {
  await using cable = await faultProxy(url)
  const far = connect(cable.url)
  onTestFinished(() => far.destroy())
  const problems: string[] = []
  const listening = await listen(
    new SubscriptionHub(far, { gapTimeouts: QUICK, onProblem: (what) => problems.push(what) }),
  )
  const writer = await session()
  const ids = [await writer.insert()]
  await expect.poll(() => listening.ids, soon).toEqual(ids)
  cable.unplug()
  await expect.poll(() => problems, soon).toContain('the outbox could not be read')
  ids.push(await writer.insert(), await writer.insert())
  cable.plugIn()
  await expect.poll(() => listening.ids, soon).toEqual(ids)
})
