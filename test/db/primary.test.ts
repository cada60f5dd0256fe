import { connect, createDatabase, migrate, type Pool, transact } from '@pointwise/db'
import { expect, onTestFinished, test } from 'vitest'
import { run } from '../setup/database.ts'
import { eventually } from '../setup/eventually.ts'
import { asGaleraNode } from '../setup/several-hosts.ts'
import { insertUser, move, NEVER_MS, names, open, PATIENT, probes, SHOWS_VARIABLES, WATCHED } from './open-hosts.ts'

/** Opens every connection of a pool, and leaves them idle. */
async function openAll(db: Pool): Promise<void> {
  let count = 0
  const isOpen = Promise.withResolvers<void>()
  await Promise.all(
    Array.from({ length: 5 }, () =>
      transact(db, async (tx) => {
        await run(tx, 'select 1')
        if (++count === 5) isOpen.resolve()
        await isOpen.promise
      }),
    ),
  )
}

test('the pool uses the host that takes writes, whatever its place in the URL', async () => {
  const { db, hosts, primaries } = await open()
  move(hosts[0], hosts[2])
  await insertUser(db, 'Ada')
  expect(primaries).toEqual([2])
  expect(await names(db)).toEqual(['Ada'])
})

test('hosts that refuse connections, never answer or lack the database do not prevent finding the primary', async () => {
  const { db, hosts, primaries } = await open()
  hosts[0].disable()
  hosts[1].stall()
  hosts[2].setReadOnly(false)
  await insertUser(db, 'Ada')
  expect(primaries).toEqual([2])
})

test('a host whose name does not exist does not prevent finding the primary', async () => {
  const { url } = await open()
  const db = connect(url.replace('@', '@no-such-host.invalid,'), PATIENT)
  onTestFinished(() => db.destroy())
  expect(await names(db)).toEqual([])
})

test.each([1290, 1836, 1047])(
  'a host whose variables allow writes, and that rejects one with %i, is not the primary',
  async (errno) => {
    const { db, hosts, primaries } = await open()
    hosts[0].inject({ errno }, /^update .*kysely_migration/, Number.POSITIVE_INFINITY)
    hosts[1].setReadOnly(false)
    await insertUser(db, 'Ada')
    expect(primaries).toEqual([1])
  },
)

test('a host that is read-only is not the primary for an account that could write to it nevertheless', async () => {
  const { db, hosts, primaries } = await open()
  const readOnly = { replacedBy: "select 'super_read_only' as Variable_name, 'ON' as Value" }
  hosts[0].inject(readOnly, SHOWS_VARIABLES, Number.POSITIVE_INFINITY)
  hosts[1].setReadOnly(false)
  await insertUser(db, 'Ada')
  expect(primaries).toEqual([1])
})

test('a new connection is to the new primary, before any write was rejected', async () => {
  const { db, hosts, primaries } = await open()
  await transact(db, async (tx) => {
    await run(tx, 'select 1')
    move(hosts[0], hosts[1])
    expect(await names(db)).toEqual([])
    expect(primaries).toEqual([0, 1])
  }).catch(() => undefined)
  expect(primaries).toEqual([0, 1])
})

test('a pool that only reads follows the primary, too', async () => {
  const { db, hosts, primaries } = await open(WATCHED)
  await openAll(db)
  move(hosts[0], hosts[1])
  await eventually(async () => {
    await names(db)
    return primaries
  }).toEqual([0, 1])
})

test.each([1290, 1836, 1047])('after error %i the pool leaves the host, with every connection to it', async (errno) => {
  const { db, hosts, primaries } = await open()
  await openAll(db)
  const attempts: unknown[] = []
  hosts[0].inject({ errno }, /^insert/)
  move(hosts[0], hosts[1])
  const before = hosts[0].queries.length
  await insertUser(db, 'Ada', attempts)
  expect(attempts).toEqual([errno])
  expect(primaries).toEqual([0, 1])
  const afterwards = hosts[0].queries.length
  await openAll(db)
  expect(hosts[0].queries.length).toBe(afterwards)
  expect(afterwards).toBeGreaterThan(before)
  expect(await names(db)).toEqual(['Ada'])
})

test('a COMMIT that a read-only host rejects is rolled back there, and the work is done on the new primary', async () => {
  const { db, hosts, primaries } = await open()
  const attempts: unknown[] = []
  await transact(
    db,
    async (tx) => {
      await tx.insertInto('users').values({ name: 'Ada' }).execute()
      if (attempts.length === 0) move(hosts[0], hosts[1])
    },
    { onFailedAttempt: ({ reason }) => attempts.push(reason) },
  )
  expect({ attempts, primaries }).toEqual({ attempts: [1290], primaries: [0, 1] })
  expect(await names(db)).toEqual(['Ada'])
})

test('when the primary is killed, the pool follows to the host that takes writes', async () => {
  const { db, hosts, primaries } = await open()
  await openAll(db)
  hosts[0].disable()
  move(hosts[0], hosts[1])
  await Promise.all(Array.from({ length: 20 }, (_, index) => insertUser(db, `user ${index}`)))
  expect(primaries).toEqual([0, 1])
  expect(await names(db)).toHaveLength(20)
})

test('a host that was the primary before is used again when it takes writes', async () => {
  const { db, hosts, primaries } = await open()
  for (const [from, to] of [
    [0, 1],
    [1, 2],
    [2, 0],
  ] as const) {
    await insertUser(db, `on ${from}`)
    move(hosts[from], hosts[to])
  }
  await insertUser(db, 'on 0 again')
  expect(primaries).toEqual([0, 1, 2, 0])
  expect(await names(db)).toEqual(['on 0', 'on 1', 'on 2', 'on 0 again'])
})

test('callers share one search, and each host is asked a bounded number of times', async () => {
  const { db, hosts } = await open({ connections: 100, acquireTimeoutMs: 500 })
  hosts[0].setReadOnly(true)
  const callers = await Promise.allSettled(Array.from({ length: 100 }, () => run(db, 'select 1')))
  expect(new Set(callers.map(({ status }) => status))).toEqual(new Set(['rejected']))
  // One question each tenth of a second, during one search.
  for (const host of hosts) expect(host.connections()).toBeLessThanOrEqual(6)
})

test('without a primary, a call fails with an error that contains the answer of each host', async () => {
  const { db, hosts } = await open({ connections: 1, acquireTimeoutMs: 500 })
  hosts[0].setReadOnly(true)
  hosts[1].disable()
  hosts[2].refuse(1040)
  const { cause } = await run(db, 'select 1').then(Promise.reject, (error: Error) => error)
  const [first, second, third] = hosts.map((host) => new URL(host.url).host)
  expect(cause).toMatchObject({
    message: `No host of the database URL takes writes (${first}: read_only is ON; ${second}: Connection lost: The server closed the connection.; ${third}: refused). Expected one that does. Promote a replica, or correct DATABASE_URL.`,
  })
})

test('closing the pool during a search rejects its callers and closes every connection', async () => {
  const { db, hosts } = await open({ acquireTimeoutMs: NEVER_MS })
  for (const host of hosts) host.stall()
  const call = names(db)
  const failed = expect(call).rejects.toMatchObject({ name: 'ConnectError' })
  await eventually(() => hosts.map((host) => host.openSockets())).toEqual([1, 1, 1])
  await db.destroy()
  await failed
  await eventually(() => hosts.map((host) => host.openSockets())).toEqual([0, 0, 0])
})

test('on Galera, the first host that takes writes is the primary, and is the primary again when it returns', async () => {
  const { db, hosts, primaries } = await open(WATCHED)
  for (const host of hosts) asGaleraNode(host)
  await insertUser(db, 'Ada')
  expect(primaries).toEqual([0])
  hosts[0].disable()
  for (const host of hosts) host.setReadOnly(false)
  await insertUser(db, 'Ben')
  expect(primaries).toEqual([0, 1])
  hosts[0].enable()
  await eventually(async () => {
    await names(db)
    return primaries
  }).toEqual([0, 1, 0])
})

test('when every host refuses the account, the pool reports it, and works again when one accepts it', async () => {
  const { db, hosts } = await open({ acquireTimeoutMs: 1_000 })
  for (const host of hosts) host.refuse(1045)
  await expect(names(db)).rejects.toMatchObject({ name: 'ConnectError', cause: { errno: 1045 } })
  expect(db.accessError).toBeDefined()
  for (const host of hosts) host.enable()
  await eventually(() => db.accessError).toBeUndefined()
  expect(await names(db)).toEqual([])
})

test('a host that refuses a connection because it has too many is still the primary', async () => {
  const { db, hosts, primaries } = await open({ acquireTimeoutMs: 1_000 })
  await transact(db, async (tx) => {
    await run(tx, 'select 1')
    hosts[0].refuse(1040, 'new')
    hosts[1].setReadOnly(false)
    await expect(names(db)).rejects.toMatchObject({ name: 'ConnectError', cause: { errno: 1040 } })
    await tx.insertInto('users').values({ name: 'Ada' }).execute()
  })
  expect(primaries).toEqual([0])
  expect(await names(db)).toEqual(['Ada'])
})

test('a single host is used without a search, also when it is read-only', async () => {
  const { hosts } = await open()
  hosts[0].setReadOnly(true)
  const db = connect(hosts[0].url, PATIENT)
  onTestFinished(() => db.destroy())
  expect(await names(db)).toEqual([])
  expect(probes(hosts[0])).toBe(0)
})

test('the session of a lost connection is ended on the host where it runs, not on the new primary', async () => {
  const { db, hosts } = await open({ statementTimeoutMs: 1_000 })
  hosts[0].inject('blackhole', /^select 2/)
  const lost = transact(db, async (tx) => {
    await tx.insertInto('users').values({ name: 'Ada' }).execute()
    hosts[1].setReadOnly(false)
    hosts[0].setReadOnly(true)
    await run(tx, 'select 2')
  })
  await lost.catch(() => undefined)
  const locked = () => transact(db, (tx) => tx.selectFrom('users').forUpdate().select('name').execute())
  await eventually(locked).toBeDefined()
})

test('createDatabase and migrate use the host that takes writes', async () => {
  const { url, hosts } = await open()
  move(hosts[0], hosts[2])
  const named = url.replace(/[^/]*$/, (name) => `${name}_migrated`)
  const before = hosts.map((host) => host.queries.length)
  await createDatabase(named)
  expect(await migrate(named)).not.toEqual([])
  expect(await migrate(named)).toEqual([])
  const writes = hosts.map(
    ({ queries }, index) =>
      queries
        .slice(before[index])
        .flat()
        .filter((statement) => /^(create|alter|insert)/.test(statement)).length,
  )
  expect(writes).toEqual([0, 0, expect.any(Number)])
  expect(writes[2]).toBeGreaterThan(0)
  const db = connect(named)
  onTestFinished(() => db.destroy())
  await run(db, `drop database \`${new URL(named.replace(/@[^/]*/, '@host')).pathname.slice(1)}\``)
})
