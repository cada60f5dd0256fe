import { connect, createDatabase, migrate, type Pool } from '@pointwise/db'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { databaseUrl, emptyDatabase, holdConnection, run } from '../setup/database.ts'

/** A database of its own for each test, with every migration. The tests undo a migration and insert rows of the previous version. */
const url = databaseUrl('migrations')
let db: Pool
beforeEach(async () => {
  const { db: other } = await emptyDatabase()
  await run(other, `drop database if exists \`${new URL(url).pathname.slice(1)}\``)
  await other.destroy()
  await createDatabase(url)
  await migrate(url)
  db = connect(url)
})
afterEach(() => db.destroy())

test('the horizon of an outbox begins before its oldest event, and at 0 when the outbox is empty', async () => {
  const horizon = () => run(db, `select position from outbox_cursors where name = 'horizon'`)
  expect(await horizon()).toEqual([{ position: 0 }])

  await run(db, "insert into events (id, type, `key`, payload) values (7, 'x', 'x', '{}'), (9, 'x', 'x', '{}')")
  await run(db, 'drop table outbox_cursors')
  await run(db, "delete from kysely_migration where name >= '0014-outbox-cursors'")
  await migrate(url)
  expect(await horizon()).toEqual([{ position: 6 }])
})

test('the sales of products become BIGINT without a loss, and not again if they are BIGINT already', async () => {
  const repeat = async () => {
    await run(db, "delete from kysely_migration where name >= '0015-sales-bigint'")
    await migrate(url)
  }
  const types = () =>
    run(
      db,
      `select column_name as name, data_type as type, is_nullable as nullable from information_schema.columns
      where table_schema = database() and column_name in ('sales_volume', 'count') and table_name like 'product%'
      order by column_name`,
    )
  const big = [
    { name: 'count', type: 'bigint', nullable: 'NO' },
    { name: 'sales_volume', type: 'bigint', nullable: 'NO' },
  ]
  expect(await types()).toEqual(big)

  await run(db, 'alter table products modify sales_volume int not null default 0')
  await run(db, 'alter table product_sales modify `count` int not null')
  await run(db, "insert into stores (id, name) values (1, 'Kitchen')")
  await run(db, "insert into products (id, store_id, name, price, sales_volume) values (1, 1, 'Mug', 1, 2147483647)")
  await run(db, "insert into product_sales (product_id, hour, `count`) values (1, '2026-03-10 12:00:00', 2147483647)")
  await repeat()
  expect(await types()).toEqual(big)
  await run(db, 'update products set sales_volume = sales_volume + 1')
  await run(db, 'update product_sales set `count` = `count` + 1')
  expect(await run(db, 'select sales_volume, `count` from products, product_sales')).toEqual([
    { sales_volume: 2_147_483_648, count: 2_147_483_648 },
  ])
  expect(await run(db, "insert into products (store_id, name, price) values (1, 'Cup', 1)")).toBeDefined()

  // An ALTER of these tables would wait for this transaction.
  await using _ = await holdConnection(db, 'select 1 from products, product_sales')
  await repeat()
})

test('the migration writes the name keys, in which rows of the same name keep apart, and the next start the missing ones', async () => {
  for (const table of ['users', 'stores']) {
    await run(db, `alter table ${table} drop index ${table}_name_key, drop column name_key`)
    await run(db, `alter table ${table} drop index ${table}_name, add unique index ${table}_name (name)`)
    await run(db, `insert into ${table} (id, name) values (1, 'José'), (2, ' josé'), (3, 'Ada')`)
    const many = Array.from({ length: 1_200 }, (_, n) => `('name ${n}')`)
    await run(db, `insert into ${table} (name) values ${many.join()}`)
  }
  await run(db, "delete from kysely_migration where name >= '0016-name-keys'")
  expect(await migrate(url)).toContain('0016-name-keys')
  for (const table of ['users', 'stores']) {
    expect(await run(db, `select id, name_key as k from ${table} where id < 5 order by id`)).toEqual([
      { id: 1, k: 'JOSÉ' },
      { id: 2, k: 'JOSÉ\u00002' },
      { id: 3, k: 'ADA' },
      { id: 4, k: 'NAME 0' },
    ])
    expect(await run(db, `select id from ${table} where name_key is null`)).toEqual([])

    // A server of the previous version.
    await run(db, `insert into ${table} (name) values ('Jose'), ('ada')`)
    expect(await migrate(url)).toEqual([])
    expect(await run(db, `select name_key like 'ADA%' as k from ${table} where name = 'ada'`)).toHaveLength(2)
    expect(await run(db, `select id from ${table} where name_key is null`)).toEqual([])
  }
})

test('the events of an existing outbox have no traceparent, and the table is not copied to add the column', async () => {
  await run(db, 'alter table events drop column traceparent, algorithm = copy')
  await run(db, "delete from kysely_migration where name >= '0017-event-traceparent'")
  // A server of the previous version inserts events without the column, before the migration and after it.
  const insert = () => run(db, "insert into events (type, `key`, payload) values ('x', 'x', '{}')")
  await insert()
  const before = await tableId(db, 'events')
  expect(await migrate(url)).toContain('0017-event-traceparent')
  expect(await tableId(db, 'events')).toEqual(before)
  await insert()
  expect(await run(db, 'select traceparent from events')).toEqual([{ traceparent: null }, { traceparent: null }])
  expect(
    await run(
      db,
      `select column_type as type, collation_name as collation, is_nullable as nullable from information_schema.columns
      where table_schema = database() and column_name = 'traceparent'`,
    ),
  ).toEqual([{ type: 'varchar(55)', collation: 'ascii_bin', nullable: 'YES' }])
})

test('the foreign key of the products of an existing database is enforced after the migration', async () => {
  await run(db, 'alter table products drop index products_of_store')
  await run(db, "delete from kysely_migration where name >= '0018-products-of-store'")
  expect(await migrate(url)).toContain('0018-products-of-store')
  await expect(run(db, "insert into products (store_id, name, price) values (1, 'Tea', 1)")).rejects.toThrow(
    'products_store_exists',
  )
})

/** InnoDB's id of the table, which changes when the table is copied or rebuilt. */
async function tableId(db: Pool, table: string): Promise<unknown> {
  const [{ isMariaDB } = { isMariaDB: 0 }] = await run<{ isMariaDB: number }>(
    db,
    "select version() like '%MariaDB%' as isMariaDB",
  )
  const tables = isMariaDB ? 'innodb_sys_tables' : 'innodb_tables'
  const rows = await run(
    db,
    `select table_id as id from information_schema.${tables} where name = concat(database(), '/${table}')`,
  )
  expect(rows).toHaveLength(1)
  return rows
}
