import { execFile } from 'node:child_process'
import { randomUUID } from 'node:crypto'
import { tmpdir } from 'node:os'
import { promisify } from 'node:util'
import { connect, createDatabase, type LockingStatements, migrate, type Tx, tryCapabilities } from '@pointwise/db'
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest'
import { tryStatements } from '../../db/src/capabilities/try-locks.ts'
import { kyselyOf } from '../../db/src/handles.ts'
import { cursorOf } from '../../server/src/outbox/cursor-names.ts'
import { deleteExpiredEvents } from '../../server/src/outbox/retention.ts'
import { LOCKING_STATEMENTS } from '../../server/src/payments/settlement/lock-rows.ts'
import { acquireLease } from '../../server/src/relay/lease.ts'
import { selectBacklog } from '../../server/src/relay/queries.ts'
import { JWT_SECRET } from '../setup/configuration.ts'
import { run, TABLES } from '../setup/database.ts'
import { eventually } from '../setup/eventually.ts'
import { callEveryProcedure } from '../setup/every-procedure.ts'
import { faultProxy } from '../setup/fault-proxy.ts'
import { FILLED, fillDatabase } from '../setup/filled-database.ts'
import { freePort } from '../setup/free-port.ts'
import { missingEngine } from '../setup/missing-engine.ts'
import { ServerProcess } from '../setup/server-process.ts'
import { STARTS_WITHIN_MS } from './database-cluster.ts'
import { startVitess, type VitessServer, vitessIsMissing } from './vitess-server.ts'

/** A program that runs TiDB: `start PORT NAME` starts it and prints its URL, `reset NAME` removes all. */
const { TIDB_ENGINE } = process.env
const tidbIsMissing = missingEngine('TIDB_ENGINE', 'TiDB')

const runFile = promisify(execFile)

async function startTidb(): Promise<AsyncDisposable & { url: string }> {
  const name = `pointwise-${randomUUID().slice(0, 8)}`
  // It writes a log into its working directory.
  const call = async (...args: string[]) => (await runFile(TIDB_ENGINE ?? '', args, { cwd: tmpdir() })).stdout.trim()
  const url = await call('start', String(await freePort()), name)
  return { url: `${url}/shop`, [Symbol.asyncDispose]: () => call('reset', name).then(() => undefined) }
}

/** What a server that is started on this database writes to standard error before it exits with 1. */
async function refusal(url: string): Promise<string> {
  await using server = new ServerProcess({ DATABASE_URL: url, JWT_SECRET, PORT: '0' })
  expect(await server.exitCode()).toBe(1)
  expect(server.stdout).not.toContain('listening')
  return server.stderr
}

/** Repeats a migration that fails: both engines may not know a table or a column some time after the statement that adds it. */
async function migrateEventually(url: string): Promise<void> {
  const attempt = () => migrate(url).catch(({ message, cause }: Error) => [message, String(cause)])
  await eventually(attempt, { timeout: 180_000, interval: 500 }).toEqual([])
}

describe.skipIf(tidbIsMissing)(`TiDB${tidbIsMissing ? ` (${tidbIsMissing})` : ''}`, () => {
  test('is refused at start, with the version and what to set', async () => {
    await using tidb = await startTidb()
    const lines = (await refusal(tidb.url)).split('\n')
    expect(lines).toEqual([
      'pointwise: This database server cannot be used:',
      expect.stringMatching(
        /^- The version is 8\.0\.11-TiDB-.*\. Expected MySQL 8\.4 or later, .* TiDB is not supported: with SKIP LOCKED it returns rows .* Set DATABASE_URL to a MySQL or MariaDB server\.$/,
      ),
      expect.stringMatching(/^- The server rejects `set names .*`: Unsupported collation .* Set DATABASE_URL to /),
      '',
    ])
  })

  test('waits for locks, and the check at start finds that it does not skip locked rows', async () => {
    await using tidb = await startTidb()
    await using proxy = await faultProxy(tidb.url)
    // TiDB does not have these collations.
    proxy.rewrite(/utf8mb4_unicode_520_ci/g, 'utf8mb4_unicode_ci')
    proxy.rewrite(/ascii_general_ci/g, 'ascii_bin')
    // Nor can it replace an index in one statement.
    proxy.rewrite(/^alter table (\S+) (drop index \S+), (add index .*)/, 'alter table $1 $2; alter table $1 $3')
    await createDatabase(proxy.url)
    const db = connect(proxy.url)
    await run(db, "set global tidb_multi_statement_mode = 'ON'")
    await db.destroy()
    await migrateEventually(proxy.url)
    const failures = await tryCapabilities(proxy.url, LOCKING_STATEMENTS)
    process.stdout.write(`TiDB: ${JSON.stringify(failures)}\n`)
    expect(failures).toContainEqual({
      capability: 'skipLocked',
      found: 'SELECT … FOR UPDATE SKIP LOCKED returned a row that another session had locked with FOR UPDATE.',
    })
    expect(failures.map(({ capability }) => capability)).not.toContain('lockingReads')
  })
})

/** The column that decides in which shard a row is stored, where it is not `id`. */
const SHARDED_BY: Record<string, string> = {
  points: 'user_id',
  stock: 'product_id',
  stock_changes: 'product_id',
  orders: 'user_id',
  order_products: 'order_id',
  point_histories: 'point_id',
  payments: 'user_id',
  refunds: 'order_id',
  product_sales: 'product_id',
  outbox_cursors: 'name',
  kysely_migration: 'name',
}

/** A statement whose condition Vitess merges, and then drops FOR UPDATE. */
const WITH_SUBQUERY: LockingStatements = {
  ...LOCKING_STATEMENTS,
  wallets: (tx: Tx, userIds: number[]) =>
    tx
      .selectFrom('points')
      .select('user_id')
      .where('user_id', 'in', (eb) => eb.selectFrom('users').select('id').where('id', 'in', userIds))
      .orderBy('user_id')
      .forUpdate(),
}

describe.skipIf(vitessIsMissing)(`Vitess${vitessIsMissing ? ` (${vitessIsMissing})` : ''}`, () => {
  let vitess: VitessServer
  beforeAll(async () => {
    vitess = await startVitess()
  }, STARTS_WITHIN_MS)
  afterAll(() => vitess?.[Symbol.asyncDispose]())

  test('with two shards is refused at start, with the shards and what to set', async () => {
    expect(await refusal(vitess.shardedUrl)).toBe(
      'pointwise: This database server cannot be used:\n- The keyspace has 2 shards: two/-80, two/80-. Expected an unsharded ' +
        'keyspace, because ids, unique keys and snapshots of several shards are independent of each other. Set DATABASE_URL to a ' +
        'keyspace with one shard.\n',
    )
  })

  test('with two shards does not enforce unique keys nor lock rows with a subquery, and the check at start finds both', async () => {
    const db = connect(vitess.shardedUrl, { connections: 2 })
    for (const table of [...TABLES, 'outbox_cursors', 'kysely_migration', 'kysely_migration_lock']) {
      await run(db, `alter vschema on two.${table} add vindex xxhash(${SHARDED_BY[table] ?? 'id'})`)
    }
    await migrateEventually(vitess.shardedUrl)
    const found = await tryCapabilities(vitess.shardedUrl, LOCKING_STATEMENTS)
    const withSubquery = await tryStatements(kyselyOf(db), WITH_SUBQUERY)
    process.stdout.write(`Vitess, two shards: ${JSON.stringify([...found, ...withSubquery])}\n`)
    expect(found).toContainEqual({
      capability: 'uniqueKeys',
      found: expect.stringMatching(/^\d+ of 16 users with one `name_key` were inserted\.$/),
    })
    expect(withSubquery).toEqual([
      {
        capability: 'lockingReads',
        found: 'SELECT … FOR UPDATE of `points` did not wait for a row that another session had locked.',
      },
    ])
    expect(await tryStatements(kyselyOf(db), LOCKING_STATEMENTS)).toEqual([])
    await db.destroy()
  })

  test('without shards is accepted at start', async () => {
    await using server = new ServerProcess({ DATABASE_URL: vitess.url, JWT_SECRET, PORT: '0' })
    await server.url()
    expect(server.stdout).toMatch(/"version":"\d[\d.]+-Vitess","applied":\["0001-users".*"msg":"database ready"/)
  })

  test('without shards runs every statement of the procedures, of the relay and of the retention', async () => {
    const db = connect(vitess.url, { statementTimeoutMs: 120_000 })
    onTestFinished(() => db.destroy())
    await migrate(vitess.url)
    await fillDatabase(db)
    await callEveryProcedure(db, () => undefined)
    const lease = await acquireLease(db, { name: cursorOf('events'), owner: 'test' })
    await lease?.advance(FILLED.orders)
    await lease?.release()
    expect(await selectBacklog(db, cursorOf('events')).executeTakeFirst()).toBeDefined()
    await run(db, 'update events set created_at = created_at - interval 2 day where id <= 1500')
    expect(await deleteExpiredEvents(db, { retentionDays: 1 })).toBe(1_500)
  })
})
