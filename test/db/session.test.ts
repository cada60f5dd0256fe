import { checkServer, connect, createDatabase, migrate, type Pool, transact } from '@pointwise/db'
import { createCaller } from '@pointwise/server'
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest'
import { sessionProblems } from '../../db/src/session.ts'
import { run } from '../setup/database.ts'
import { installedServers } from '../setup/development-database.ts'
import { startPrivateServer } from '../setup/private-server.ts'

const usable = await installedServers()

/** Settings that an administrator can give to every session, each of which would change what statements do. */
const HOSTILE = [
  'names latin1',
  'character_set_results = binary',
  'autocommit = 0',
  'completion_type = 2',
  'session transaction read only',
  'transaction read only',
  'session transaction isolation level serializable',
  'transaction isolation level serializable',
  "sql_mode = 'ANSI_QUOTES,NO_BACKSLASH_ESCAPES,PIPES_AS_CONCAT'",
  "sql_mode = ''",
  "time_zone = '+09:00'",
  'timestamp = 1000000000',
  'auto_increment_increment = 7',
  'auto_increment_increment = 7, auto_increment_offset = 3',
  'foreign_key_checks = 0',
  'unique_checks = 0',
  'default_storage_engine = MyISAM',
  'sql_safe_updates = 1',
  'sql_auto_is_null = 1',
  'sql_select_limit = 1',
  'sql_select_limit = 0',
  'max_join_size = 1',
  'sql_big_selects = 0',
  'max_join_size = 1, sql_big_selects = 0',
  'group_concat_max_len = 4',
  'max_sort_length = 64',
  'div_precision_increment = 0',
  'innodb_lock_wait_timeout = 1000, lock_wait_timeout = 1000, wait_timeout = 1',
]

describe.skipIf(usable.length === 0)('a server that changes the settings of every session', () => {
  let server: Awaited<ReturnType<typeof startPrivateServer>>
  let root: Pool
  let url: string

  beforeAll(async () => {
    server = await startPrivateServer()
    await createDatabase(server.url)
    root = connect(server.url)
    // The server runs init_connect only for accounts without administrative privileges.
    await run(root, "create user shopkeeper@'127.0.0.1' identified by 'secret'")
    await run(root, "grant all on shop.* to shopkeeper@'127.0.0.1'")
    url = server.url.replace('//root@', '//shopkeeper:secret@')
  })
  afterAll(async () => {
    await root?.destroy()
    await server?.[Symbol.asyncDispose]()
  })

  /** Lets the server run a script at the start of each session. */
  const initConnect = (script: string) => run(root, `set global init_connect = '${script.replaceAll("'", "''")}'`)

  function open(): Pool {
    const db = connect(url, { connections: 1 })
    onTestFinished(() => db.destroy())
    return db
  }

  const settings = async (db: Pool) => {
    const [row] = await run(
      db,
      `select @@session.sql_mode as mode, @@session.time_zone as zone, @@session.innodb_lock_wait_timeout as lockWait,
       @@session.lock_wait_timeout as metadataLockWait, @@session.wait_timeout as idle,
       @@session.auto_increment_increment as increment, database() as name,
       timestampdiff(day, from_unixtime(@@session.timestamp), utc_timestamp()) as days`,
    )
    const transaction = await run<{ Variable_name: string; Value: string }>(
      db,
      "show session variables where variable_name in ('transaction_isolation', 'tx_isolation', 'transaction_read_only', 'tx_read_only', 'check_constraint_checks')",
    )
    return { ...(row as object), ...Object.fromEntries(transaction.map((one) => [one.Variable_name, one.Value])) }
  }

  test('has no effect on the sessions of the pool, whatever it changes', async () => {
    await initConnect('')
    const db = open()
    const expected = await settings(db)
    expect(await sessionProblems(db)).toEqual([])
    expect(expected).toMatchObject({ lockWait: 1, metadataLockWait: 1, idle: 60, increment: 1, name: 'shop', days: 0 })
    const actual: unknown[] = []
    for (const setting of HOSTILE) {
      await initConnect(`set ${setting}`)
      const changed = open()
      actual.push({ setting, problems: await sessionProblems(changed), settings: await settings(changed) })
    }
    expect(actual).toEqual(HOSTILE.map((setting) => ({ setting, problems: [], settings: expected })))
  })

  test('has no effect on a migration, a sale and the audit, when it changes everything at once', async () => {
    await initConnect(
      `${HOSTILE.map((setting) => `set ${setting}`)
        .toReversed()
        .join('; ')}; use information_schema; select 1`,
    )
    await createDatabase(url)
    await migrate(url)
    const db = open()
    await checkServer(db)
    const admin = createCaller({ db, admin: true })
    const { id: userId } = await admin.users.create({ name: '김민수 🍎 \\' })
    const { id: storeId } = await admin.stores.create({ name: '사과 "가게" ||' })
    const product = await admin.products.create({ storeId, name: '🍏', price: 100, stock: 10 })
    const user = createCaller({ db, userId })
    await user.points.charge({ amount: 1_000 })
    for (const quantity of [1, 2]) {
      await user.orders.checkout({ items: [{ productId: product.id, quantity, price: 100 }] })
    }
    expect(await user.users.me()).toMatchObject({ name: '김민수 🍎 \\' })
    expect(await user.points.balance()).toMatchObject({ balance: 700 })
    expect((await user.points.histories({})).items).toHaveLength(3)
    expect(await admin.products.list({})).toMatchObject({ items: [{ name: '🍏', stock: 7, salesVolume: 3 }] })
    expect(await admin.audit.run()).toMatchObject({ sound: true })
    const engines = "select distinct engine as engine from information_schema.tables where table_schema = 'shop'"
    expect(await run(db, engines)).toEqual([{ engine: 'InnoDB' }])
  })

  test('keeps what it has written when it leaves its transaction open', async () => {
    await initConnect('')
    await run(open(), 'create table if not exists logins (account varchar(100))')
    for (const begin of ['set autocommit = 0', 'start transaction']) {
      await run(root, 'delete from logins')
      await initConnect(`${begin}; insert into shop.logins values (current_user())`)
      const db = open()
      await run(db, 'select 1')
      expect(await run(root, 'select account from logins')).toEqual([{ account: 'shopkeeper@127.0.0.1' }])
      await transact(db, (tx) => run(tx, 'delete from logins'))
      expect(await run(root, 'select account from logins')).toEqual([])
    }
  })
})
