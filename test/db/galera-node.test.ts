import { connect, executeBatch, type Pool, transact } from '@pointwise/db'
import { sql } from 'kysely'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { emptyDatabase } from '../setup/database.ts'
import { type FaultProxy, faultProxy } from '../setup/fault-proxy.ts'
import { asGaleraNode } from '../setup/several-hosts.ts'

let db: Pool
let proxy: FaultProxy
/** A pool whose server reports that it is a node of a Galera cluster. */
let node: Pool
beforeAll(async () => {
  const database = await emptyDatabase()
  db = database.db
  proxy = await faultProxy(database.url)
  asGaleraNode(proxy)
  node = connect(proxy.url, { connections: 1 })
  await node.selectFrom('users').select('id').execute()
})
afterAll(async () => {
  await node.destroy()
  await proxy.close()
  await db.destroy()
})

const place = (pool: Pool) =>
  transact(pool, async (tx) => {
    const { users } = await executeBatch(tx, {
      users: tx.insertInto('users').values([
        { name: 'a; b?', name_key: 'A;\nB?' },
        { name: 'c', name_key: 'C' },
      ]),
      skipped: undefined,
    })
    const results = await executeBatch(tx, {
      names: tx
        .selectFrom('users')
        .select(['name', 'name_key'])
        .where('name_key', 'in', ['A;\nB?', 'C'])
        .orderBy('name'),
      none: tx.selectFrom('users').select('id').where('name', '=', '?'),
      renamed: tx.updateTable('users').set({ name: 'd' }).where('name_key', '=', 'C'),
      left: tx.selectFrom('users').select(sql<number>`count(*)`.as('count')).where('name', '=', 'd'),
      removed: tx.deleteFrom('users').where('name_key', 'in', ['A;\nB?', 'C']),
    })
    const { renamed, removed, ...read } = results
    return { ...read, affectedRows: [users, renamed, removed].map(({ affectedRows }) => affectedRows) }
  })

test('each statement of a transaction is sent to a Galera node alone, and its result is the same', async () => {
  const expected = await place(db)
  proxy.queries.length = 0
  expect(await place(node)).toEqual(expected)
  const packets = proxy.queries
  expect(packets.map((statements) => statements.length)).toEqual(packets.map(() => 1))
  expect(packets.map(([statement]) => statement?.split(' ')[0])).toEqual([
    'begin',
    'insert',
    'select',
    'select',
    'update',
    'select',
    'delete',
    'commit',
  ])
})

test('after a statement that fails, the later ones are not sent to a Galera node', async () => {
  proxy.queries.length = 0
  await expect(
    transact(node, (tx) =>
      executeBatch(tx, {
        failing: tx.selectNoFrom(sql`json_extract('{', '$.a') + missing_column`.as('failing')),
        removed: tx.deleteFrom('users'),
      }),
    ),
  ).rejects.toThrow('missing_column')
  expect(proxy.queries.map(([statement]) => statement?.split(' ')[0])).toEqual(['begin', 'select', 'rollback'])
})
