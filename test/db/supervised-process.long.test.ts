import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { mkdir, readdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { findDatabase } from '@pointwise/db/development'
import { describe, expect, test } from 'vitest'
import {
  databaseOf,
  directory,
  installedServers,
  isRunning,
  options,
  query,
  readPid,
  setUpDirectories,
  startOwner,
  stopAfterTest,
} from '../setup/development-database.ts'
import { eventually } from '../setup/eventually.ts'

setUpDirectories()

const binaries = await installedServers()

describe.skipIf(binaries.length === 0)('the owner of a private server', { timeout: 60_000 }, () => {
  test('stops its server and, without keep, deletes its data when it is killed by SIGKILL', async () => {
    const owner = startOwner('local', 'no')
    const pid = await readPid((await databaseOf(owner)).pidFile)
    owner.process.kill('SIGKILL')
    await eventually(() => isRunning(pid)).toBe(false)
    await eventually(() => readdir(directory)).toEqual([])
  })

  test('leaves its data to the next owner, which waits for the server to exit, when it is killed by SIGKILL', async () => {
    const owner = startOwner('local', 'yes')
    const { url } = await databaseOf(owner)
    await query(url, 'create database shop', 'create table shop.facts (id int)', 'insert into shop.facts values (7)')
    owner.process.kill('SIGKILL')
    await once(owner.process, 'exit')
    const next = await stopAfterTest(findDatabase(options({ keep: true, provider: 'local', database: 'shop' })))
    expect(await query(next.url, 'select id from facts')).toMatchObject([{ id: 7 }])
  })

  test('does not impair the next start when it is killed by SIGKILL during the first one', async () => {
    const owner = startOwner('local', 'yes')
    await owner.progress('Creating a new')
    owner.process.kill('SIGKILL')
    await once(owner.process, 'exit')
    const next = await stopAfterTest(findDatabase(options({ keep: true, provider: 'local' })))
    expect(await query(next.url, 'select 1 as one')).toMatchObject([{ one: 1 }])
  })

  test('leaves no files, without keep, when it is killed by SIGKILL during the first start', async () => {
    const owner = startOwner('local', 'no')
    await eventually(async () => (await readdir(directory, { recursive: true })).join()).toContain('data.new/ibdata1')
    owner.process.kill('SIGKILL')
    await eventually(() => readdir(directory)).toEqual([])
  })

  test('deletes the temporary folder of an owner that went down with its host', async () => {
    const owners = join(directory, 'temporary-before', 'owners')
    await mkdir(owners, { recursive: true })
    const holder = { owner: { pid: process.pid, start: 'before' }, supervisor: { pid: process.ppid, start: 'before' } }
    await writeFile(join(owners, 'dead.json'), JSON.stringify(holder))
    const database = await stopAfterTest(findDatabase(options({ provider: 'local' })))
    expect(await readdir(directory)).toHaveLength(1)
    expect(existsSync(owners)).toBe(false)
    expect(await query(database.url, 'select 1 as one')).toMatchObject([{ one: 1 }])
  })

  test('stops its server when it exits without calling stop', async () => {
    const owner = startOwner('local', 'no', 'leave')
    await once(owner.process, 'exit')
    await eventually(() => readdir(directory)).toEqual([])
  })

  test('can still use its server after Ctrl-C has reached its process group', async () => {
    const owner = startOwner('local', 'yes')
    const { pidFile } = await databaseOf(owner)
    const pid = await readPid(pidFile)
    process.kill(-owner.pid, 'SIGINT')
    expect(await owner.line('after SIGINT')).toBe(`after SIGINT: ${pidFile}`)
    await owner.line('stopped')
    expect(isRunning(pid)).toBe(false)
  })

  test('is named in the error of a second owner of the same data', async () => {
    const owner = startOwner('local', 'yes')
    const { url } = await databaseOf(owner)
    const second = findDatabase(options({ keep: true, provider: 'local' }))
    await expect(second).rejects.toThrow(new RegExp(`is in use by process ${owner.pid}\\. .* Stop that process`))
    expect(await query(url, 'select 1 as one')).toMatchObject([{ one: 1 }])
  })

  test('can share the directory with other owners, without keep', async () => {
    const all = await Promise.all([1, 2, 3].map(() => stopAfterTest(findDatabase(options({ provider: 'local' })))))
    expect(new Set(all.map(({ url }) => url)).size).toBe(3)
    for (const { url } of all) expect(await query(url, 'select 1 as one')).toMatchObject([{ one: 1 }])
  })
})
