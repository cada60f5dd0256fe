import { connect, createDatabase, migrate } from '@pointwise/db'
import { afterEach, beforeEach, expect, onTestFinished, test } from 'vitest'
import { z } from 'zod'
import { auditResult } from '../../server/src/audit/audit-schemas.ts'
import { type CopiedDatabase, copiedDatabase } from '../replica/copied-database.ts'
import { databaseUrl, run } from '../setup/database.ts'
import { faultProxy } from '../setup/fault-proxy.ts'
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

test('With DATABASE_REPLICA_URL, the command reads the replica, and states that', async () => {
  const copy = await copiedDatabase()
  onTestFinished(() => copy.db.destroy())
  await copy.catchUp()
  // Only the replica has a broken row.
  await run(copy.db, 'update points set point = 1234, updated_at = updated_at')
  const env = { DATABASE_URL: shop.databaseUrl, DATABASE_REPLICA_URL: copy.url }
  const text = await runAuditCommand(env)
  expect(text).toMatchObject({ code: 1, stderr: expect.stringMatching(/^Reading the replica\.\n/) })
  expect(text.stdout).toMatch(/\n3 broken rows found\. Snapshot of the replica at \d{4}-/)
  expect(JSON.parse((await runAuditCommand(env, '--json')).stdout)).toMatchObject({ sound: false, readFrom: 'replica' })
})

test.each<[string, (copy: CopiedDatabase) => Promise<unknown>, RegExp]>([
  [
    'is behind',
    (copy) => run(copy.db, 'delete from events order by id desc limit 1'),
    /it is more than 5 seconds behind the primary/,
  ],
  [
    'belongs to another shop',
    (copy) => run(copy.db, "update events set `key` = 'user:77'"),
    /its events differ from those of the primary/,
  ],
])('If the replica %s, the command reads the primary, and states why', async (_, change, reason) => {
  const copy = await copiedDatabase()
  onTestFinished(() => copy.db.destroy())
  await copy.catchUp()
  await change(copy)
  const env = { DATABASE_URL: shop.databaseUrl, DATABASE_REPLICA_URL: copy.url }
  const { code, stdout, stderr } = await runAuditCommand(env)
  expect(stderr).toMatch(new RegExp(`Reading the primary\\. The replica is not used: ${reason.source}`))
  expect(stdout).toMatch(/\n\nAll checks passed\. Snapshot of the primary at \d{4}-/)
  expect(code).toBe(0)
})

test('If the audit fails on the replica, the command reads the primary, and states why', async () => {
  const copy = await copiedDatabase()
  onTestFinished(() => copy.db.destroy())
  await copy.catchUp()
  await using proxy = await faultProxy(copy.url)
  proxy.inject({ errno: 1146 }, /from `?refunds/)
  const env = { DATABASE_URL: shop.databaseUrl, DATABASE_REPLICA_URL: proxy.url }
  const { code, stdout, stderr } = await runAuditCommand(env)
  expect(stderr).toMatch(
    /^Reading the replica\.\n(?:Checking .*\n)*Reading the primary\. The replica is not used: a read failed: injected\.\n/,
  )
  expect(stdout).toMatch(/\n\nAll checks passed\. Snapshot of the primary at \d{4}-/)
  expect(code).toBe(0)
})

test('If the replica cannot be reached, the command reads the primary', async () => {
  const env = { DATABASE_URL: shop.databaseUrl, DATABASE_REPLICA_URL: 'mysql://root@127.0.0.1:1/shop' }
  const { code, stdout, stderr } = await runAuditCommand(env, '--json')
  expect(stderr).toMatch(/^Reading the primary\. The replica is not used: .*ECONNREFUSED 127\.0\.0\.1:1\./)
  expect(JSON.parse(stdout)).toMatchObject({ sound: true, readFrom: 'primary' })
  expect(code).toBe(0)
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
