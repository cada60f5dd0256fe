import { existsSync } from 'node:fs'
import { mkdir, readdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { startPrivately } from '../../db/development/local-provider.ts'
import {
  directory,
  installedServers,
  isRunning,
  options,
  query,
  readPid,
  setUpDirectories,
  stopAfterTest,
} from '../setup/development-database.ts'

setUpDirectories()

const binaries = await installedServers()

if (binaries.length === 0) describe.skip('a private server: neither mysqld nor mariadbd is installed on this host')

for (const binary of binaries) {
  describe(`a private ${binary.kind} ${binary.version}`, { timeout: 60_000 }, () => {
    test('listens on 127.0.0.1, allows 500 connections and uses utf8mb4', async () => {
      const database = await stopAfterTest(startPrivately(binary, options()))
      expect(database.url).toMatch(/^mysql:\/\/root@127\.0\.0\.1:\d+\/mysql$/)
      expect(database.description).toMatch(/^private (mysqld|mariadbd) \d+\.\d+\.\d+ on port \d+$/)
      const facts = 'select 1 as one, @@max_connections as connections, @@character_set_server as charset'
      const [row] = await query(database.url, facts)
      expect(row).toMatchObject({ one: 1, charset: 'utf8mb4' })
      expect(row?.connections).toBeGreaterThanOrEqual(500)
    })

    test('has its own folder for temporary files, which no other server deletes', async () => {
      const database = await stopAfterTest(startPrivately(binary, options()))
      const [row] = await query(database.url, 'select @@tmpdir as folder, @@datadir as datadir')
      expect(row?.folder).toBe(join(row?.datadir, '..', 'tmp'))
    })

    test('exits and, without keep, deletes its data when it is stopped', async () => {
      const database = await startPrivately(binary, options())
      const [row] = await query(database.url, 'select @@pid_file as pidFile, @@datadir as datadir')
      const pid = await readPid(row?.pidFile)
      expect(row?.datadir.startsWith(directory)).toBe(true)
      await Promise.all([database.stop(), database.stop()])
      expect(isRunning(pid)).toBe(false)
      expect(await readdir(directory)).toEqual([])
    })

    test('with keep, reuses its data and flushes at every commit', async () => {
      const first = await stopAfterTest(startPrivately(binary, options({ keep: true })))
      await query(
        first.url,
        'create database shop',
        'create table shop.facts (id int)',
        'insert into shop.facts values (7)',
      )
      await first.stop()
      const second = await stopAfterTest(startPrivately(binary, options({ keep: true, database: 'shop' })))
      expect(await query(second.url, 'select id from facts')).toMatchObject([{ id: 7 }])
      expect(second.location).toBe(join(directory, binary.kind))
      const [row] = await query(second.url, 'select @@innodb_flush_log_at_trx_commit as flush')
      expect(row?.flush).toBe(1)
    })

    test('repeats an initialization that was interrupted', async () => {
      const incomplete = join(directory, binary.kind, 'data.new')
      await mkdir(incomplete, { recursive: true })
      await writeFile(join(incomplete, 'ibdata1'), 'incomplete')
      const database = await stopAfterTest(startPrivately(binary, options({ keep: true })))
      expect(await query(database.url, 'select 1 as one')).toMatchObject([{ one: 1 }])
      expect(existsSync(incomplete)).toBe(false)
    })

    test('that exits before it accepts connections causes an error with the last lines of its log', async () => {
      await mkdir(join(directory, binary.kind, 'data'), { recursive: true })
      await writeFile(join(directory, binary.kind, 'data', 'ibdata1'), 'no table space')
      const finding = startPrivately(binary, options({ keep: true }))
      await expect(finding).rejects.toThrow(
        /The server exited with status \d+ before it accepted connections\.\nLast lines of its log:\n(.*\n)*.*InnoDB/,
      )
    })
  })
}
