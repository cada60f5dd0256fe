import { execFile } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { promisify } from 'node:util'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { freshDatabase } from '../setup/database.ts'
import { moduleOf, snippetsOf, snippetWith } from './snippet.ts'

const ROOT = resolve(import.meta.dirname, '../..')

/** Declarations of the variables that the snippets use. */
const DECLARATIONS = `
import type * as sdk from '@pointwise/client-sdk'
import type { Kysely } from 'kysely'
interface ConsumerTables {
  positions: { partition: number; lastId: number }
}
declare global {
  const client: sdk.TRPCClient<sdk.AppRouter>
  const createClient: typeof sdk.createClient
  const session: { token: string }
  const tokens: { of(userId: number): Promise<string> }
  const databaseUrl: string
  const url: string
  const brokers: string[]
  const db: Kysely<ConsumerTables>
  const addReward: (tx: Kysely<ConsumerTables>, userId: number, amount: number) => Promise<void>
}
`
const TSCONFIG = { extends: '../../tsconfig.json', compilerOptions: { noUnusedLocals: false }, include: ['.'] }

const snippets = ['README.md', 'client-sdk/README.md'].flatMap(snippetsOf)

let folder: string
beforeAll(() => {
  mkdirSync(join(ROOT, '.pointwise'), { recursive: true })
  folder = mkdtempSync(join(ROOT, '.pointwise/snippets-'))
})
afterAll(() => rmSync(folder, { recursive: true }))

async function emptyUrl(): Promise<string> {
  const { url, db } = await freshDatabase('snippet')
  await db.destroy()
  return url
}

/** Runs the one snippet that contains `part`. */
async function runSnippet(part: string, variables: Record<string, unknown>, result: string) {
  const snippet = snippetWith(snippets, part)
  const file = join(folder, `${snippet.name}-run.ts`)
  writeFileSync(
    file,
    moduleOf(snippet, { parameters: `{ ${Object.keys(variables).join(', ')} }: any`, result: `return { ${result} }` }),
  )
  return (await import(file)).run(variables)
}

test('Every snippet of the documents compiles', async () => {
  expect(snippets.length).toBeGreaterThan(6)
  for (const snippet of snippets) writeFileSync(join(folder, `${snippet.name}.tsx`), moduleOf(snippet))
  writeFileSync(join(folder, 'declarations.d.ts'), DECLARATIONS)
  writeFileSync(join(folder, 'tsconfig.json'), JSON.stringify(TSCONFIG))
  const output = await promisify(execFile)(join(ROOT, 'node_modules/.bin/tsc'), [
    '-p',
    folder,
    '--pretty',
    'false',
  ]).then(
    ({ stdout }) => stdout,
    ({ stdout }: { stdout: string }) => stdout,
  )
  expect(output).toBe('')
})

test('The snippet for another suite calls the routers in-process', async () => {
  const { db, user, admin } = await runSnippet(
    'createCaller({ db, userId: user.id })',
    { url: await emptyUrl() },
    'db, user, admin',
  )
  expect(await admin.audit.run()).toMatchObject({ sound: true })
  const { point } = await db
    .selectFrom('points')
    .select('point')
    .where('user_id', '=', user.id)
    .executeTakeFirstOrThrow()
  await db.destroy()
  expect(point).toBe(5_000)
})

test('The snippet for another suite runs the server in its own process', async () => {
  const { createClient } = await import('@pointwise/client-sdk')
  const variables = { databaseUrl: await emptyUrl(), createClient }
  expect(await runSnippet('await buildApp({', variables, 'balance')).toEqual({ balance: 5_000 })
})
