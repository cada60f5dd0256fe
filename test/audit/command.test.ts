import { execFile } from 'node:child_process'
import { join } from 'node:path'
import { connect, createDatabase, migrate } from '@pointwise/db'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { databaseUrl, run } from '../setup/database.ts'
import { item, openShop, type Shop } from '../setup/shop.ts'

const ROOT = join(import.meta.dirname, '../..')

interface Ended {
  code: unknown
  stdout: string
  stderr: string
}

/** What `npm run audit` runs. */
function command(env: NodeJS.ProcessEnv): Promise<Ended> {
  const { JWT_SECRET: _, JWT_JWKS_URL: __, DATABASE_URL: ___, ...rest } = process.env
  return new Promise((resolve) => {
    execFile(
      process.execPath,
      ['server/scripts/audit.ts'],
      { cwd: ROOT, env: { ...rest, ...env } },
      (error, stdout, stderr) => resolve({ code: error ? error.code : 0, stdout, stderr }),
    )
  })
}

let shop: Shop
beforeEach(async () => {
  shop = await openShop()
  const user = await shop.givenUser({ points: 500 })
  await user.client.orders.checkout.mutate({ items: [item(await shop.givenProduct({ price: 200 }))] })
})
afterEach(() => shop[Symbol.asyncDispose]())

test('sound books: a line for each promise, and exit code 0, without any setting but the database', async () => {
  const { code, stdout, stderr } = await command({ DATABASE_URL: shop.databaseUrl })
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
  expect(stdout).toMatch(/^ *rows {2}broken {2}promise\n/)
  expect(stdout).toContain('   1       0  A wallet’s balance is the sum of its history.\n')
  expect(stdout).toMatch(/\n\nEvery promise is kept\. Books of \d{4}-\d\d-\d\dT[\d:.]+Z, read in \d+ ms\.\n$/)
})

test('broken books: each broken row, what was expected and found, and exit code 1', async () => {
  await run(shop.db, 'update points set point = 1234')
  const [wallet] = await run<{ id: number }>(shop.db, 'select id from points')
  const { code, stdout } = await command({ DATABASE_URL: shop.databaseUrl })
  await run(shop.db, 'update points set point = 300')
  expect(code).toBe(1)
  expect(stdout).toContain('   1       1  A wallet’s balance is the sum of its history.\n')
  expect(stdout).toContain(
    `\nA wallet’s balance is the sum of its history.\n  points id ${wallet?.id}: expected point 300; found point 1234\n`,
  )
  expect(stdout).toContain('\n2 rows break a promise. Books of ')
})

test('no audit: why, in one line, and exit code 2', async () => {
  const reasons: [string, string][] = [
    ['nonsense', 'audit: Bad configuration: DATABASE_URL must be mysql://user[:password]@host:port/database.\n'],
    ['mysql://root@127.0.0.1:1/shop', 'audit: connect ECONNREFUSED 127.0.0.1:1\n'],
    [databaseUrl('nowhere'), `audit: Unknown database '${new URL(databaseUrl('nowhere')).pathname.slice(1)}'\n`],
  ]
  for (const [url, stderr] of reasons) {
    expect(await command({ DATABASE_URL: url })).toEqual({ code: 2, stdout: '', stderr })
  }
})

test('no audit of a database that lacks a migration', async () => {
  const url = databaseUrl('old')
  await createDatabase(url)
  await migrate(url)
  const db = connect(url)
  const [last] = await run<{ name: string }>(db, 'select max(name) as name from kysely_migration')
  await run(db, `update kysely_migration set name = 'a name of its own' where name = '${last?.name}'`)
  expect(await command({ DATABASE_URL: url })).toEqual({
    code: 2,
    stdout: '',
    stderr: `audit: The database lacks ${last?.name}: start the server once.\n`,
  })
  await run(db, `update kysely_migration set name = '${last?.name}' where name = 'a name of its own'`)
  await db.destroy()
})
