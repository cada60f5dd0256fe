import { execFile } from 'node:child_process'
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { promisify } from 'node:util'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { freshDatabase } from '../setup/database.ts'

const ROOT = resolve(import.meta.dirname, '../..')

/** What the pages take for given. */
const GIVEN = `
import type * as sdk from '@pointwise/client-sdk'
declare global {
  const client: sdk.TRPCClient<sdk.AppRouter>
  const createClient: typeof sdk.createClient
  const session: { token: string }
  const tokens: { of(userId: number): Promise<string> }
  const databaseUrl: string
  const url: string
}
`
const TSCONFIG = { extends: '../../tsconfig.json', compilerOptions: { noUnusedLocals: false }, include: ['.'] }

interface Snippet {
  /** Its page and its place on it, which name its file, too. */
  name: string
  imports: string[]
  body: string[]
}

function snippetsOf(page: string): Snippet[] {
  const text = readFileSync(join(ROOT, page), 'utf8')
  return [...text.matchAll(/^```tsx?\n([\s\S]*?)^```/gm)].map(([, code = ''], index) => {
    const lines = code.split('\n')
    const isImport = (line: string) => line.startsWith('import ')
    return {
      name: `${page.replaceAll(/\W/g, '-')}-${index + 1}`,
      imports: lines.filter(isImport),
      body: lines.filter((line) => !isImport(line)),
    }
  })
}

/** A module that does what a snippet does when it is called, with what it takes for given, and tells what came of it. */
const moduleOf = ({ imports, body }: Snippet, { given = '', told = '' } = {}) =>
  [...imports, `export async function run(${given}) {`, ...body, told, '}', ''].join('\n')

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

/** Carries out the one snippet that has this in it. */
async function carriedOut(part: string, given: Record<string, unknown>, told: string) {
  const [snippet, ...others] = snippets.filter(({ body }) => body.join('\n').includes(part))
  if (!snippet || others.length > 0) throw new Error(`${part} is not in one snippet.`)
  const file = join(folder, `${snippet.name}-run.ts`)
  writeFileSync(
    file,
    moduleOf(snippet, { given: `{ ${Object.keys(given).join(', ')} }: any`, told: `return { ${told} }` }),
  )
  return (await import(file)).run(given)
}

test('every snippet of the pages compiles', async () => {
  expect(snippets.length).toBeGreaterThan(6)
  for (const snippet of snippets) writeFileSync(join(folder, `${snippet.name}.tsx`), moduleOf(snippet))
  writeFileSync(join(folder, 'given.d.ts'), GIVEN)
  writeFileSync(join(folder, 'tsconfig.json'), JSON.stringify(TSCONFIG))
  const said = await promisify(execFile)(join(ROOT, 'node_modules/.bin/tsc'), ['-p', folder, '--pretty', 'false']).then(
    ({ stdout }) => stdout,
    ({ stdout }: { stdout: string }) => stdout,
  )
  expect(said).toBe('')
})

test('a suite of somebody else calls the routers in-process', async () => {
  const { db, user, admin } = await carriedOut(
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

test('a suite of somebody else runs the server in its own process', async () => {
  const { createClient } = await import('@pointwise/client-sdk')
  const given = { databaseUrl: await emptyUrl(), createClient }
  expect(await carriedOut('await buildApp({', given, 'balance')).toEqual({ balance: 5_000 })
})
