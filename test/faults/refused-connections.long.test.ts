import { join } from 'node:path'
import { AcquireTimeoutError, ConnectError, connect, DatabaseBusyError, type Pool, transact } from '@pointwise/db'
import { createConnection } from 'mysql2/promise'
import { describe, expect, onTestFinished, test } from 'vitest'
import { databaseUrl, emptyDatabase, run } from '../setup/database.ts'
import { eventually } from '../setup/eventually.ts'
import { get, openRefusedStream, post } from '../setup/raw-http.ts'
import { inSuite } from '../setup/suite.ts'
import { send } from '../setup/trpc-wire.ts'
import { MUTATIONS, QUERIES, stocked, tokenFor } from './calls.ts'
import { fingerprint, openFaultyShop } from './faulty-shop.ts'

/** Temporary and permanent ones, ones of no known server, and the highest number. */
const ERRNOS = inSuite(
  [1045, 1226, 65_535],
  [1040, 1044, 1045, 1049, 1053, 1129, 1130, 1203, 1226, 1251, 1696, 1862, 3032, 3118, 3159, 4151, 65_535],
)

const OTHER_CA = join(import.meta.dirname, '../setup/certificates/other-ca.pem')

async function openPool(url: string): Promise<Pool> {
  const db = connect(url, { acquireTimeoutMs: 60_000 })
  onTestFinished(() => db.destroy())
  return db
}

async function expectRefused(url: string, cause: object): Promise<void> {
  const db = await openPool(url)
  const error = await run(db, 'select 1').catch((error: unknown) => error)
  expect(error).toBeInstanceOf(ConnectError)
  expect(error).toMatchObject({ cause })
  let attempts = 0
  const failed = await transact(db, async () => void attempts++).catch((error: unknown) => error)
  expect(failed).toBeInstanceOf(DatabaseBusyError)
  expect(attempts).toBe(0)
}

test('when the database refuses connections, every call is refused with service_busy, whatever the error is', async () => {
  await using faulty = await openFaultyShop()
  const { shop, proxy, direct } = faulty
  const given = await stocked(shop)
  const inputs = new Map<string, object>()
  for (const { path, given: prepare } of [...MUTATIONS, ...QUERIES]) inputs.set(path, await prepare(given))
  const before = await fingerprint(direct)
  const unexpected: string[] = []
  for (const errno of ERRNOS) {
    proxy.refuse(errno)
    const calls = {
      ...Object.fromEntries(
        MUTATIONS.map((call) => [
          call.path,
          post(shop, call.path, { token: tokenFor(call, given), input: inputs.get(call.path) }),
        ]),
      ),
      ...Object.fromEntries(
        QUERIES.map(({ path }) => [path, get(shop, path, { token: given.user.token, input: inputs.get(path) })]),
      ),
      'users.me': get(shop, 'users.me', { token: given.user.token }),
      'audit.run': get(shop, 'audit.run', { token: given.admin }),
      'points.onChange': openRefusedStream(shop, 'points.onChange', {
        token: given.user.token,
        input: { lastEventId: '1' },
      }),
    }
    for (const [path, call] of Object.entries(calls)) {
      const { status, refusal } = await call
      const { code } = (refusal ?? {}) as { code?: string }
      if (status !== 503 || code !== 'service_busy') unexpected.push(`${errno} ${path}: ${status} ${code}`)
    }
    expect((await send(shop, '/readyz')).status).toBe(503)
  }
  expect(unexpected).toEqual([])
  expect(await fingerprint(direct)).toBe(before)
  expect(shop.log.map((line) => JSON.parse(line)).filter(({ level }) => level >= 50)).toEqual([])
  proxy.enable()
  await eventually(async () => (await send(shop, '/readyz')).status).toBe(200)
})

describe('a failure to open a connection rejects with ConnectError, and a transaction does not run:', () => {
  test('an unknown host', () => expectRefused('mysql://root@no-such-host.invalid/shop', { code: 'ENOTFOUND' }))

  test('an unknown database', async () =>
    expectRefused(databaseUrl('never_created'), { errno: expect.toBeOneOf([1044, 1049]) }))

  test('a server whose certificate is not trusted, or that has none', async () =>
    expectRefused(`${databaseUrl()}?ssl-mode=VERIFY_CA&ssl-ca=${encodeURIComponent(OTHER_CA)}`, {
      message: expect.stringMatching(/certificate|secure/),
    }))

  test('an account that has as many connections as it may', async () => {
    await using account = await createAccount('with max_user_connections 1')
    const only = await createConnection(account.url)
    await expectRefused(account.url, { errno: 1226 })
    await only.end()
  })
})

describe('an account that the database refuses', () => {
  for (const [what, refuse, accept, errnos] of [
    ['because its password has changed', "identified by 'Other-1234'", "identified by 'Right-1234'", [1045]],
    ['because it is locked', 'account lock', 'account unlock', [3118, 4151]],
  ] as const) {
    test(`${what} is reported once until it is accepted again`, async () => {
      await using account = await createAccount()
      const reports: unknown[] = []
      const db = connect(account.url, {
        connections: 2,
        acquireTimeoutMs: 60_000,
        onAccessDenied: (error) => reports.push((error.cause as { errno: number }).errno),
        onAccessRestored: () => reports.push('restored'),
      })
      onTestFinished(() => db.destroy())
      await run(db, 'select 1')
      for (const _ of [1, 2]) {
        reports.length = 0
        await account.alter(refuse)
        await account.endSessions()
        // A connection that ended may be used once more, which is not an error of opening one.
        await eventually(() => run(db, 'select 1').catch((error: unknown) => error)).toBeInstanceOf(ConnectError)
        const calls = Array.from({ length: 20 }, () => run(db, 'select 1').catch((error: unknown) => error))
        for (const error of await Promise.all(calls)) expect(error).toBe(db.accessError)
        expect(reports).toEqual([expect.toBeOneOf([...errnos])])
        await account.alter(accept)
        await eventually(() => db.accessError).toBeUndefined()
        expect(reports).toEqual([expect.toBeOneOf([...errnos]), 'restored'])
        expect(await run(db, 'select 1 as one')).toEqual([{ one: 1 }])
      }
    })
  }

  test('makes the server unready, although a connection that was opened before still works', async () => {
    await using faulty = await openFaultyShop({ database: { connections: 2 } })
    const { shop, proxy } = faulty
    const held = Promise.withResolvers<void>()
    const isHeld = Promise.withResolvers<void>()
    const holding = transact(shop.db, async () => {
      isHeld.resolve()
      await held.promise
    })
    await isHeld.promise
    // The connection of the transaction stays open.
    proxy.refuse(1045, 'new')
    expect((await send(shop, '/readyz')).status).toBe(503)
    held.resolve()
    await holding
    expect(await run(shop.db, 'select 1 as one')).toEqual([{ one: 1 }])
    await eventually(async () => (await send(shop, '/readyz')).text).toBe(
      '{"status":"unavailable","problem":"database access denied"}',
    )
    proxy.enable()
    await eventually(async () => (await send(shop, '/readyz')).status).toBe(200)
  })
})

test('a refused connection is not mistaken for a pool without a free connection', async () => {
  const db = await openPool('mysql://root@127.0.0.1:1/nowhere')
  expect(await run(db, 'select 1').catch((error: unknown) => error)).not.toBeInstanceOf(AcquireTimeoutError)
})

/** An account of the test's own on the database of this worker. */
async function createAccount(limits = '') {
  const { db } = await emptyDatabase()
  const name = `pointwise_${process.env.VITEST_POOL_ID}`
  const account = `'${name}'@'%'`
  await run(db, `drop user if exists ${account}`)
  await run(db, `create user ${account} identified by 'Right-1234' ${limits}`)
  await run(db, `grant all on ${new URL(databaseUrl()).pathname.slice(1)}.* to ${account}`)
  const url = new URL(databaseUrl())
  url.username = name
  url.password = 'Right-1234'
  return {
    url: url.href,
    alter: (change: string) => run(db, `alter user ${account} ${change}`),
    endSessions: async () => {
      const sessions = `select id from information_schema.processlist where user = '${name}'`
      for (const { id } of await run<{ id: number }>(db, sessions)) await run(db, `kill ${id}`).catch(() => undefined)
    },
    async [Symbol.asyncDispose]() {
      await run(db, `drop user ${account}`)
      await db.destroy()
    },
  }
}
