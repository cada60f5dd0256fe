import { connect, createDatabase, migrate } from '@pointwise/db'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { z } from 'zod'
import { auditResult } from '../../server/src/audit/audit-schemas.ts'
import { databaseUrl, run } from '../setup/database.ts'
import { item, openShop, type Shop } from '../setup/shop.ts'
import { runAuditCommand } from './audit-command.ts'

let shop: Shop
beforeEach(async () => {
  shop = await openShop()
  const user = await shop.givenUser({ points: 500 })
  await user.client.orders.checkout.mutate({ items: [item(await shop.givenProduct({ price: 200 }))] })
})
afterEach(() => shop[Symbol.asyncDispose]())

test('A consistent database: the command prints a line for each check and exits with 0, and needs DATABASE_URL only', async () => {
  const { code, stdout, stderr } = await runAuditCommand({ DATABASE_URL: shop.databaseUrl })
  // A machine under load may take longer than the second after which progress is printed.
  expect({ code, stderr: stderr.replaceAll(/^Checking .*\n/gm, '') }).toEqual({ code: 0, stderr: '' })
  expect(stdout).toMatch(/^ *rows {2}broken {2}check\n/)
  expect(stdout).toContain("   1       0  A wallet's balance equals the sum of its history rows.\n")
  expect(stdout).toMatch(/\n\nAll checks passed\. Snapshot of \d{4}-\d\d-\d\dT[\d:.]+Z, read in [\d.]+ m?s\.\n$/)
})

test('A corrupt database: the command prints each broken row with the expected and the found value, and exits with 1', async () => {
  await run(shop.db, 'update points set point = 1234, updated_at = updated_at')
  const [wallet] = await run<{ id: number }>(shop.db, 'select id from points')
  const { code, stdout } = await runAuditCommand({ DATABASE_URL: shop.databaseUrl })
  await run(shop.db, 'update points set point = 300, updated_at = updated_at')
  expect(code).toBe(1)
  expect(stdout).toContain("   1       1  A wallet's balance equals the sum of its history rows.\n")
  expect(stdout).toContain(
    `\nA wallet's balance equals the sum of its history rows.\n  points id ${wallet?.id}: expected point 300; found point 1234\n`,
  )
  expect(stdout).toContain('\n3 broken rows found. Snapshot of ')
})

test('With --json, the command prints one document with the result, and exits with the same codes', async () => {
  const json = z.strictObject({ ...auditResult.shape, asOf: z.iso.datetime() })
  const sound = await runAuditCommand({ DATABASE_URL: shop.databaseUrl }, '--json')
  expect(sound.code).toBe(0)
  expect(json.parse(JSON.parse(sound.stdout)).sound).toBe(true)
  await run(shop.db, 'update points set point = 1234, updated_at = updated_at')
  const broken = await runAuditCommand({ DATABASE_URL: shop.databaseUrl }, '--json')
  await run(shop.db, 'update points set point = 300, updated_at = updated_at')
  expect(broken.code).toBe(1)
  const { checks } = json.parse(JSON.parse(broken.stdout))
  expect(checks.find(({ name }) => name === 'balances')?.findings).toHaveLength(1)
})

test.each([
  [['--json'], 'mysql://root@127.0.0.1:1/shop', /^The database cannot be read: .*ECONNREFUSED 127\.0\.0\.1:1\./],
  [['--json'], 'not-a-url', /^Invalid configuration: DATABASE_URL /],
  [['--json', '--jsn'], 'not-a-url', /^There is no option --jsn\. The only option is --json\.$/],
])('With %j and %s, the document is the error', async (args, url, error) => {
  const { code, stdout, stderr } = await runAuditCommand({ DATABASE_URL: url }, ...args)
  expect(code).toBe(2)
  expect(JSON.parse(stdout)).toEqual({ error: expect.stringMatching(error) })
  expect(stderr).toBe(`audit: ${JSON.parse(stdout).error}\n`)
})

test('If the audit cannot run, the command prints the reason and what to do in one line, and exits with 2', {
  timeout: 120_000,
}, async () => {
  const unreadable = (cause: string) =>
    `audit: The database cannot be read: No connection to the database could be opened. Nothing was sent. Cause: ${cause}. Check that DATABASE_URL is correct and that the database is running.\n`
  const cases: [string, string][] = [
    [
      'not-a-url',
      expect.stringMatching(/^audit: Invalid configuration: DATABASE_URL must have the form mysql:.*\.\n$/),
    ],
    ['mysql://root@127.0.0.1:1/shop', unreadable('connect ECONNREFUSED 127.0.0.1:1')],
    [databaseUrl('missing'), unreadable(`Unknown database '${new URL(databaseUrl('missing')).pathname.slice(1)}'`)],
  ]
  const exits = await Promise.all(cases.map(([url]) => runAuditCommand({ DATABASE_URL: url })))
  expect(exits).toEqual(cases.map(([, stderr]) => ({ code: 2, stdout: '', stderr })))
})

test('If migrations are missing, the command prints their names and exits with 2', async () => {
  const url = databaseUrl('old')
  await createDatabase(url)
  await migrate(url)
  const db = connect(url)
  const [last] = await run<{ name: string }>(db, 'select max(name) as name from kysely_migration')
  await run(db, `update kysely_migration set name = 'another name' where name = '${last?.name}'`)
  expect(await runAuditCommand({ DATABASE_URL: url })).toEqual({
    code: 2,
    stdout: '',
    stderr: `audit: The database is missing migrations: ${last?.name}. Start the server once to apply them, then run the audit again.\n`,
  })
  await run(db, `update kysely_migration set name = '${last?.name}' where name = 'another name'`)
  await db.destroy()
})

test('On the schema of a newer version, the command names the additional migrations and checks what it knows', async () => {
  const future = '9999-from-the-future'
  await run(shop.db, `insert into kysely_migration (name, timestamp) values ('${future}', '2099')`)
  const { code, stderr } = await runAuditCommand({ DATABASE_URL: shop.databaseUrl })
  await run(shop.db, `delete from kysely_migration where name = '${future}'`)
  expect({ code, stderr: stderr.replaceAll(/^Checking .*\n/gm, '') }).toEqual({
    code: 0,
    stderr: `A newer version has added migrations: ${future}. This audit does not check what they have added. Run the audit of that version, too.\n`,
  })
})
