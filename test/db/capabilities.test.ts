import { type Pool, tryCapabilities } from '@pointwise/db'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { CONSTRAINTS } from '../../db/src/capabilities/constraints.ts'
import { LOCKING_STATEMENTS } from '../../server/src/payments/settlement/lock-rows.ts'
import { emptyDatabase, freshDatabase, run, snapshot } from '../setup/database.ts'
import { expectWithin } from '../setup/deadline.ts'
import { type FaultProxy, faultProxy } from '../setup/fault-proxy.ts'
import { inSuite } from '../setup/suite.ts'

let url: string
let db: Pool
let proxy: FaultProxy

beforeAll(async () => {
  ;({ url, db } = await emptyDatabase())
  proxy = await faultProxy(url)
})
beforeEach(() => proxy.clear())
afterAll(async () => {
  await proxy.close()
  await db.destroy()
})

const tryThroughProxy = () => tryCapabilities(proxy.url, LOCKING_STATEMENTS)
const namesOf = (failures: { capability: string }[]) => [...new Set(failures.map(({ capability }) => capability))]

/** The time that the check takes on a server that is not busy, in milliseconds. */
const TRIAL_MS_MAX = 200

test('the database of this test run has every capability, and the check changes nothing in the tables of the shop', async () => {
  const before = await snapshot(db)
  const durations: number[] = []
  for (let run = 0; run < 3; run++) {
    const startedAt = performance.now()
    expect(await tryCapabilities(url, LOCKING_STATEMENTS)).toEqual([])
    durations.push(performance.now() - startedAt)
  }
  expectWithin(Math.min(...durations), TRIAL_MS_MAX)
  expect(await snapshot(db)).toEqual(before)
  const cursors = await run<{ name: string }>(db, 'select name from outbox_cursors order by name')
  expect(cursors.map(({ name }) => name)).toEqual(['horizon', 'start-check:1', 'start-check:2'])
})

test.each([
  ['a deadlock', { errno: 1213 }],
  ['a lost connection', 'disconnect after'],
] as const)('%s at any statement is repeated, and leaves no row', async (_, fault) => {
  const before = await snapshot(db)
  const filters = [/^select .*for update/, /^update `outbox_cursors`/, /^insert into users/, /^update points/]
  // Each one ends another attempt.
  const applied = filters.map((filter) => proxy.inject(fault, filter))
  expect(await tryThroughProxy()).toEqual([])
  expect(applied.map((count) => count())).toEqual([1, 1, 1, 1])
  expect(await snapshot(db)).toEqual(before)
})

type Rewriting = [title: string, pattern: RegExp, replacement: string, expected: string]

const REWRITINGS: Rewriting[] = [
  ['that drops FOR UPDATE', / for update$/, '', 'lockingReads'],
  ['that drops FOR UPDATE of wallets', /(from `points`.*) for update$/, '$1', 'lockingReads'],
  ['that drops FOR UPDATE SKIP LOCKED', / for update skip locked$/, '', 'skipLocked'],
  ['that reads a snapshot', / isolation level read committed/, ' isolation level repeatable read', 'readCommitted'],
  ['that commits instead of rolling back', /^rollback$/, 'commit', 'transactions'],
  ['that assigns every second id', /auto_increment_increment = 1/, 'auto_increment_increment = 2', 'consecutiveIds'],
]
const MORE_REWRITINGS: Rewriting[] = [
  ['that drops FOR UPDATE of stock', /(from `stock`.*) for update$/, '$1', 'lockingReads'],
  ['that drops FOR UPDATE of orders', /(from `orders`.*) for update$/, '$1', 'lockingReads'],
  ['that locks rows only in share mode', / for update$/, ' lock in share mode', 'lockingReads'],
  ['that drops SKIP LOCKED', / skip locked$/, '', 'skipLocked'],
  ['on which SKIP LOCKED skips every row', /(order by .*) for update skip locked$/, 'and 1 = 0 $1', 'skipLocked'],
  [
    'that reads uncommitted rows',
    / isolation level read committed/,
    ' isolation level read uncommitted',
    'readCommitted',
  ],
  ['that does not check foreign keys', /foreign_key_checks = 1/, 'foreign_key_checks = 0', 'foreignKeys'],
]

describe('a server lacks a capability', () => {
  test.each([...REWRITINGS, ...inSuite([], MORE_REWRITINGS)])('%s', async (_, pattern, replacement, expected) => {
    const before = await snapshot(db)
    const applied = proxy.rewrite(pattern, replacement)
    expect(namesOf(await tryThroughProxy())).toEqual([expected])
    expect(applied()).toBeGreaterThan(0)
    expect(await snapshot(db)).toEqual(before)
  })
})

test('what SKIP LOCKED does on a server that ignores it is named', async () => {
  proxy.rewrite(/ for update skip locked$/, '')
  expect((await tryThroughProxy()).map(({ found }) => found)).toEqual([
    'SELECT … FOR UPDATE SKIP LOCKED returned a row that another session had locked with FOR UPDATE.',
    'SELECT … FOR UPDATE SKIP LOCKED did not lock the row that it returned.',
  ])
})

test('every constraint of the tables is tried, except keys that contain an id that the database assigns', async () => {
  const found = await run<{ constraint: string }>(
    db,
    `select concat(table_name, '.', constraint_name) as 'constraint' from information_schema.table_constraints as c
    where table_schema = database() and table_name not like 'kysely%' and not (
      constraint_type in ('PRIMARY KEY', 'UNIQUE') and exists (
        select 1 from information_schema.key_column_usage as used join information_schema.columns as k
          using (table_schema, table_name, column_name)
        where used.table_schema = c.table_schema and used.table_name = c.table_name
          and used.constraint_name = c.constraint_name and extra like '%auto_increment%'))`,
  )
  // MariaDB stores JSON as text with a CHECK constraint.
  const ofTables = found.map((row) => row.constraint).filter((name) => name !== 'events.payload')
  const tried = CONSTRAINTS.map(({ table, name }) => `${table}.${name}`)
  expect(tried.toSorted()).toEqual(ofTables.toSorted())
})

test('names every constraint that is missing, and no other one', async () => {
  const { url, db } = await freshDatabase('unconstrained')
  try {
    const missing: string[] = []
    for (const kind of ['checkConstraints', 'foreignKeys', 'uniqueKeys'] as const) {
      for (const { table, name } of CONSTRAINTS.filter((constraint) => constraint.kind === kind)) {
        // The check itself reads this table by its primary key.
        if (table === 'outbox_cursors') continue
        const what = { checkConstraints: 'constraint', foreignKeys: 'foreign key', uniqueKeys: 'index' }[kind]
        await run(db, `alter table ${table} drop ${name === 'PRIMARY' ? 'primary key' : `${what} ${name}`}`)
        missing.push(name === 'PRIMARY' ? `\`PRIMARY\` of \`${table}\`` : `\`${name}\` of \`${table}\``)
      }
      const failures = await tryCapabilities(url, LOCKING_STATEMENTS)
      const named = failures.flatMap(
        ({ found }) => /^The constraint (\S+ of \S+) was not enforced/.exec(found)?.[1] ?? [],
      )
      expect([...new Set(named)].toSorted()).toEqual(missing.toSorted())
    }
  } finally {
    await run(db, `drop database ${new URL(url).pathname.slice(1)}`)
    await db.destroy()
  }
})

test('refuses a table of an engine without transactions, and leaves no row in it', async () => {
  const { url, db } = await freshDatabase('myisam')
  try {
    await run(db, 'alter table stock engine = MyISAM')
    const failures = await tryCapabilities(url, LOCKING_STATEMENTS)
    expect(failures).toEqual([
      {
        capability: 'transactions',
        found:
          'The table `stock` has the storage engine MyISAM. Expected InnoDB. Run: ALTER TABLE `stock` ENGINE = InnoDB;',
      },
    ])
    expect(await run(db, 'select * from stock')).toEqual([])
    await run(db, 'alter table stock engine = InnoDB')
    expect(await tryCapabilities(url, LOCKING_STATEMENTS)).toEqual([])
  } finally {
    await db.destroy()
  }
})
