import { readFileSync } from 'node:fs'
import type { Pool, Tables } from '@pointwise/db'
import { appRouter } from '@pointwise/server'
import { CompiledQuery, type Kysely } from 'kysely'
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

/** How a table of a statement is read, as EXPLAIN tells it. */
interface Reading {
  table: string | null
  type: string | null
  key: string | null
}

/** Its answer is every store. */
const SCANS_ON_PURPOSE = ['read `stores` by `deleted_at` in order of `name`']

let db: Pool
const sent: Statement[] = []
const readings = new Map<Statement, Reading[]>()

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
    const { rows } = await (db as unknown as Kysely<Tables>).executeQuery(explain)
    readings.set(statement, rows as Reading[])
  }
})
afterAll(() => db.destroy())

const indexes = () =>
  run<{ name: string }>(
    db,
    `select distinct concat(table_name, '.', index_name) as name from information_schema.statistics
    where table_schema = database() and table_name not like 'kysely%'`,
  )

/** The lines of a table of docs/indexing.md, by the text of its first cell, with the names in its second. */
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

/** The indexes that EXPLAIN names, by what is asked. */
function used(): Map<string, Set<string>> {
  const found = new Map<string, Set<string>>()
  for (const [{ sql }, rows] of readings) {
    const words = describeStatementWithColumns(sql)
    const names = found.get(words) ?? new Set()
    for (const { table, key } of rows) if (table && key) names.add(`${table}.${key}`)
    found.set(words, names)
  }
  return found
}

test('every procedure was called, except the audit, which reads every row on purpose', () => {
  const all = Object.keys(appRouter._def.procedures)
  const procedures = all.filter((path) => path !== 'audit.run').toSorted()
  expect([...new Set(sent.map(({ procedure }) => procedure))].toSorted()).toEqual(procedures)
})

test('no table that grows is read as a whole', () => {
  const scans = [...readings].flatMap(([{ procedure, sql }, rows]) =>
    rows
      .filter(({ table }) => table !== null && !table.startsWith('<'))
      .filter(({ type }) => type === 'ALL' || (type === 'index' && !/ limit /.test(sql)))
      .filter(() => !SCANS_ON_PURPOSE.includes(describeStatementWithColumns(sql)))
      .map(({ table, type, key }) => `${procedure} reads ${table} by ${type} ${key}: ${sql}`),
  )
  expect(scans).toEqual([])
})

test('docs/indexing.md says which index each query uses', () => {
  const told = documented('Queries')
  const asked = used()
  expect([...told.keys()].toSorted()).toEqual([...asked.keys()].toSorted())
  for (const [words, names] of asked) {
    const { names: expected = [], oneOf = false } = told.get(words) ?? {}
    if (oneOf) {
      expect({ words, names: [...names].filter((name) => !expected.includes(name)) }).toEqual({ words, names: [] })
      expect({ words, uses: names.size > 0 }).toEqual({ words, uses: true })
    } else {
      expect({ words, names: [...names].toSorted() }).toEqual({ words, names: expected.toSorted() })
    }
  }
})

test('docs/indexing.md names the indexes that no query uses, and why they are there', async () => {
  const inUse = new Set([...used().values()].flatMap((names) => [...names]))
  const unused = (await indexes()).map(({ name }) => name).filter((name) => !inUse.has(name))
  const told = [...documented('Indexes that no query reads').keys()].map((cell) => cell.replaceAll('`', ''))
  expect(told.toSorted()).toEqual(unused.toSorted())
})
