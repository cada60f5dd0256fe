import { readFileSync } from 'node:fs'
import { type Pool, transact } from '@pointwise/db'
import { appRouter } from '@pointwise/server'
import { CompiledQuery } from 'kysely'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { run } from '../setup/database.ts'
import { callEveryProcedure } from '../setup/every-procedure.ts'
import { filledDatabase } from '../setup/filled-database.ts'
import { describeStatementWithColumns } from '../setup/statement-kinds.ts'

interface Statement {
  procedure: string
  sql: string
  values: readonly unknown[]
}

/** One row of EXPLAIN's output: how a statement accesses a table. */
interface TableAccess {
  table: string | null
  type: string | null
  key: string | null
}

/** Returns every store. */
const INTENDED_SCANS = ['read `stores` by `deleted_at` in order of `name`']

let db: Pool
const sent: Statement[] = []
const accesses = new Map<Statement, TableAccess[]>()

beforeAll(async () => {
  let procedure = ''
  db = await filledDatabase('filled', (sql, values) => {
    if (procedure !== '') sent.push({ procedure, sql, values })
  })
  await callEveryProcedure(db, (next) => {
    procedure = next
  })
  procedure = ''
  for (const statement of sent.filter(({ sql }) => /^(select|update|delete) /.test(sql))) {
    const explain = CompiledQuery.raw(`explain format=traditional ${statement.sql}`, [...statement.values])
    // In a transaction, because the pool rejects a locking read outside one, also behind EXPLAIN.
    const { rows } = await transact(db, (tx) => tx.executeQuery(explain))
    accesses.set(statement, rows as TableAccess[])
  }
})
afterAll(() => db.destroy())

const indexes = () =>
  run<{ name: string }>(
    db,
    `select distinct concat(table_name, '.', index_name) as name from information_schema.statistics
    where table_schema = database() and table_name not like 'kysely%'`,
  )

/** Reads a table of docs/indexing.md: the text of each first cell, with the index names in the second cell. */
function documented(heading: string): Map<string, { names: string[]; oneOf: boolean }> {
  const page = readFileSync(new URL('../../docs/indexing.md', import.meta.url), 'utf8')
  const section = page.split(/^## /m).find((part) => part.startsWith(`${heading}\n`)) ?? ''
  const cells = section.matchAll(/^\| (?<first>\S.*?) \| (?<second>.*?) \|/gm)
  return new Map(
    [...cells]
      .map(({ groups: { first = '', second = '' } = {} }) => {
        const names = [...second.matchAll(/`([\w.]+)`/g)].map(([, name = '']) => name)
        return [first, { names, oneOf: second.includes(' or ') }] as const
      })
      .slice(1),
  )
}

/** Returns the indexes that EXPLAIN reports, by statement as docs/indexing.md describes it. */
function usedIndexes(): Map<string, Set<string>> {
  const found = new Map<string, Set<string>>()
  for (const [{ sql }, rows] of accesses) {
    const statement = describeStatementWithColumns(sql)
    const names = found.get(statement) ?? new Set()
    for (const { table, key } of rows) if (table && key) names.add(`${table}.${key}`)
    found.set(statement, names)
  }
  return found
}

test('the statements of every procedure are examined, except those of the audit, which reads every row', () => {
  const all = Object.keys(appRouter._def.procedures)
  const procedures = all.filter((path) => path !== 'audit.run').toSorted()
  expect([...new Set(sent.map(({ procedure }) => procedure))].toSorted()).toEqual(procedures)
})

test('no query scans a table that grows', () => {
  const scans = [...accesses].flatMap(([{ procedure, sql }, rows]) =>
    rows
      .filter(({ table }) => table !== null && !table.startsWith('<'))
      .filter(({ type }) => type === 'ALL' || (type === 'index' && !/ limit /.test(sql)))
      .filter(() => !INTENDED_SCANS.includes(describeStatementWithColumns(sql)))
      .map(({ table, type, key }) => `${procedure} reads ${table} by ${type} ${key}: ${sql}`),
  )
  expect(scans).toEqual([])
})

test('docs/indexing.md lists the index of each query', () => {
  const documentedQueries = documented('Queries')
  const queries = usedIndexes()
  expect([...documentedQueries.keys()].toSorted()).toEqual([...queries.keys()].toSorted())
  for (const [query, names] of queries) {
    const { names: expected = [], oneOf = false } = documentedQueries.get(query) ?? {}
    if (oneOf) {
      expect({ query, names: [...names].filter((name) => !expected.includes(name)) }).toEqual({ query, names: [] })
      expect({ query, uses: names.size > 0 }).toEqual({ query, uses: true })
    } else {
      expect({ query, names: [...names].toSorted() }).toEqual({ query, names: expected.toSorted() })
    }
  }
})

test('docs/indexing.md lists the indexes that no query uses', async () => {
  const inUse = new Set([...usedIndexes().values()].flatMap((names) => [...names]))
  const unused = (await indexes()).map(({ name }) => name).filter((name) => !inUse.has(name))
  const names = [...documented('Indexes that no query reads').keys()].map((cell) => cell.replaceAll('`', ''))
  expect(names.toSorted()).toEqual(unused.toSorted())
})
