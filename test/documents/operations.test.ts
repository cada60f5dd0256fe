import { readFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { connect } from '@pointwise/db'
import { buildApp, createLogger } from '@pointwise/server'
import { createConnection } from 'mysql2/promise'
import { expect, onTestFinished, test } from 'vitest'
import { collectMetrics } from '../../server/src/http/metrics.ts'
import { deleteExpiredEvents } from '../../server/src/outbox/retention.ts'
import { readerFrom } from '../outbox/retained-outbox.ts'
import { CONFIG } from '../setup/configuration.ts'
import { databaseUrl, freshDatabase, run } from '../setup/database.ts'
import { tableRows } from './markdown-table.ts'

const page = readFileSync(join(resolve(import.meta.dirname, '../..'), 'docs/operations.md'), 'utf8')

test('docs/operations.md lists every metric of the server, and those with REDIS_URL and DATABASE_REPLICA_URL', async () => {
  const documented = [
    '| metric | meaning |',
    '| metric with REDIS_URL | meaning |',
    '| metric with DATABASE_REPLICA_URL | meaning |',
  ].flatMap((header) => tableRows(page, header).map(([name = '']) => name.replaceAll('`', '')))
  const db = connect(databaseUrl())
  const app = await buildApp({ db, config: CONFIG, logger: createLogger('silent') })
  const text = await collectMetrics(app, {
    redis: { isAvailable: true, outages: 0 },
    replica: { isUsed: true, lagSeconds: 0, fallbacks: 0 },
  }).metrics()
  await app.close()
  await db.destroy()
  const metrics = [...text.matchAll(/^# TYPE (pointwise_\w+) /gm)].map(([, name]) => name)
  expect(documented.toSorted()).toEqual(metrics.toSorted())
})

/** The statements of the SQL block of the page that contains this text. */
function statementsWith(text: string): string {
  const blocks = [...page.matchAll(/^```sql\n([\s\S]*?)^```$/gm)].map(([, sql = '']) => sql)
  return blocks.find((sql) => sql.includes(text)) ?? expect.fail(`No SQL of the page contains ${text}.`)
}

/** The statement in the text of the page that contains this text. */
function inText(text: string): string {
  const statements = [...page.matchAll(/`(select [^`]+)`/g)].map(([, sql = '']) => sql)
  return statements.find((sql) => sql.includes(text)) ?? expect.fail(`No statement in the page contains ${text}.`)
}

/** A database whose events were written so many days ago, and a session that runs scripts on it. */
async function eventsOfAges(...days: number[]) {
  const { url, db } = await freshDatabase('operations')
  await run(db, "delete from outbox_cursors where name <> 'horizon'")
  onTestFinished(() => db.destroy())
  const connection = await createConnection({ uri: url, multipleStatements: true, timezone: 'Z' })
  onTestFinished(() => connection.end())
  for (const age of days) {
    await run(
      db,
      `insert into events (type, \`key\`, payload, created_at)
      values ('points.charged', 'user:1', '{"userId":1}', utc_timestamp(3) - interval ${age} day)`,
    )
  }
  const state = async () => ({
    events: (await run<{ id: number }>(db, 'select id from events order by id')).map(({ id }) => id),
    cursors: await run(db, 'select name, position from outbox_cursors order by name'),
  })
  return { connection, db, state }
}

test('the documented deletion of old events moves the horizon, and changes nothing if no event is old', async () => {
  const { connection, state } = await eventsOfAges(200, 91, 89, 0)
  const script = statementsWith('delete from events')
  await connection.query(script)
  const afterwards = { events: [3, 4], cursors: [{ name: 'horizon', position: 2 }] }
  expect(await state()).toEqual(afterwards)
  await expect(connection.query(script)).rejects.toMatchObject({ code: 'ER_BAD_NULL_ERROR' })
  await connection.query('rollback')
  expect(await state()).toEqual(afterwards)
})

test('the documented deletion retains the newest event, whatever its age', async () => {
  const { connection, state } = await eventsOfAges(200, 199, 198)
  await connection.query(statementsWith('delete from events'))
  expect(await state()).toEqual({ events: [3], cursors: [{ name: 'horizon', position: 2 }] })
})

test('the documented removal of a cursor lets retention continue', async () => {
  const { connection, db, state } = await eventsOfAges(200, 199, 198)
  const script = statementsWith('delete from outbox_cursors')
  const [, forgotten = ''] = /'(kafka:[^']+)'/.exec(script) ?? []
  await run(db, `insert into outbox_cursors (name, position) values ('kafka:used', 3), ('${forgotten}', 1)`)
  const warnings: unknown[] = []
  const retain = () =>
    deleteExpiredEvents(db, { retentionDays: 7, onWarning: (message, details) => warnings.push([message, details]) })
  expect(await retain()).toBe(0)
  expect(warnings).toEqual([[expect.any(String), { cursor: forgotten, position: 1 }]])
  expect(page).toContain(`\`${(warnings[0] as [string])[0]}\``)
  const [slowest] = await run(db, inText('from outbox_cursors where'))
  expect(slowest).toMatchObject({ name: 'horizon', position: 0 })
  await connection.query(script)
  expect(await retain()).toBe(2)
  expect(await run(db, inText('from events order by id limit 1'))).toMatchObject([{ id: 3 }])
  expect((await state()).cursors).toEqual([
    { name: 'horizon', position: 2 },
    { name: 'kafka:used', position: 3 },
  ])
})

test('after the documented steps of a restoration, new events have ids above the horizon, and a relay reads them', async () => {
  const { connection, db, state } = await eventsOfAges(1, 1)
  await run(db, `insert into outbox_cursors (name, position) values ('kafka:pointwise.events', 2)`)
  await connection.query(statementsWith('auto_increment'))
  await run(db, `insert into events (type, \`key\`, payload) values ('points.charged', 'user:1', '{"userId":1}')`)
  const position = 5_000_000
  expect(await state()).toEqual({
    events: [1, 2, position + 1],
    cursors: ['horizon', 'kafka:pointwise.events'].map((name) => ({ name, position })),
  })
  const reader = readerFrom(db, position, { emptyMs: 0, uncommittedMs: 0 })
  expect(await reader.read()).toMatchObject({ rows: [{ id: position + 1 }] })
})

test('the documented change of the sales columns is accepted, and results in the columns of the migration', async () => {
  const { connection, db } = await eventsOfAges()
  const columns = () =>
    run(
      db,
      `select table_name as name, column_name as col, column_type as type, column_default as preset, is_nullable as nullable
      from information_schema.columns where table_schema = database() and column_name in ('sales_volume', 'count')`,
    )
  const before = await columns()
  await run(db, 'alter table products modify sales_volume int not null default 0')
  await connection.query(statementsWith('modify sales_volume'))
  expect(await columns()).toEqual(before)
})
