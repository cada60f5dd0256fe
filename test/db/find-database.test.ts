import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { mkdir, readdir, writeFile } from 'node:fs/promises'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { findDatabase } from '@pointwise/db/development'
import { describe, expect, onTestFinished, test } from 'vitest'
import { whyNoEngine } from '../../db/development/docker-engine.ts'
import { findDatabaseOnHost } from '../../db/development/find-on-host.ts'
import { type HostEnvironment, thisHost } from '../../db/development/host-environment.ts'
import { startPrivately } from '../../db/development/local-provider.ts'
import { findServerBinaries } from '../../db/development/server-binaries.ts'

import {
  directory,
  held,
  isRunning,
  options,
  query,
  readPid,
  said,
  setUpDirectories,
} from '../setup/development-database.ts'

setUpDirectories()

const { programFolders } = thisHost()
const programs = (await findServerBinaries(programFolders)).usable

/** A machine without anything, on which each test puts what it is about. */
const bare: HostEnvironment = {
  dockerHost: 'unix:///nowhere/docker.sock',
  programFolders: [],
  aptGet: async () => 'this is not Debian or Ubuntu',
}

describe('a given URL', () => {
  test('is taken as it is, and nothing is started', async () => {
    const url = 'mysql://shop:secret@db.example:3307/shop'
    const database = await findDatabase(options({ url }))
    expect(database).toMatchObject({ url, description: 'the server of DATABASE_URL, db.example:3307' })
    expect(database.location).toBe('db.example:3307')
    await database.stop()
    expect(await readdir(directory)).toEqual([])
    expect(said).toEqual([])
  })

  test('that cannot be read is refused without repeating its password', async () => {
    const refusal = 'DATABASE_URL cannot be read: mysql://user:password@host:port/database is expected.'
    for (const url of ['//shop:secret@db', 'shop:secret@db', 'postgres://shop:secret@db/shop']) {
      await expect(findDatabase(options({ url }))).rejects.toThrow(new Error(refusal))
    }
  })
})

describe('a machine without a database server', () => {
  test('is told what was tried and the three things that help', async () => {
    const finding = findDatabaseOnHost(bare, options())
    await expect(finding).rejects.toThrow(/^No database server could be started\. Tried:\n- Docker: there is no engine/)
    await expect(finding).rejects.toThrow('- mysqld or mariadbd: none to use in no folder')
    await expect(finding).rejects.toThrow('- apt-get: this is not Debian or Ubuntu')
    await expect(finding).rejects.toThrow(/running Docker engine;\n.*mariadb-server-core\n.*DATABASE_URL=mysql:\/\//)
  })

  test('is asked for nothing but the way that was picked', async () => {
    const docker = findDatabaseOnHost(bare, options({ provider: 'docker' }))
    await expect(docker).rejects.toThrow(/the way that was picked \(docker\)\. Tried:\n- Docker: [^\n]*\nOne of these/)
    const local = findDatabaseOnHost(bare, options({ provider: 'local' }))
    await expect(local).rejects.toThrow(
      /the way that was picked \(local\)\. Tried:\n- mysqld or mariadbd: [^\n]*\n- apt/,
    )
  })

  test('says why apt-get failed', async () => {
    const failing = ['sh', '-c', 'echo "E: Unable to locate package" >&2; exit 100', 'apt-get']
    const finding = findDatabaseOnHost({ ...bare, aptGet: async () => failing }, options())
    await expect(finding).rejects.toThrow(/apt-get could not install mariadb-server-core:\nE: Unable to locate package/)
    expect(said[0]).toBe('Installing mariadb-server-core with apt-get: a program alone, no service is started.')
  })

  test('says which programs it found and why they cannot be used', async () => {
    await writeFile(join(directory, 'mysqld'), '#!/bin/sh\necho "mysqld  Ver 5.7.44 for Linux on x86_64"\n', {
      mode: 0o755,
    })
    await writeFile(join(directory, 'mariadbd'), 'not a program', { mode: 0o644 })
    const finding = findDatabaseOnHost({ ...bare, programFolders: [directory] }, options())
    await expect(finding).rejects.toThrow(/mysqld is version 5\.7\.44, 8\.4 or later is expected/)
    await expect(finding).rejects.toThrow(/mariadbd does not run: /)
  })

  test('goes on when what it found fails, and repeats its last words', async () => {
    const script = '#!/bin/sh\n[ "$2" = --version ] && { echo "Ver 9.7.0"; exit; }\necho "disk on fire" >&2; exit 7\n'
    await writeFile(join(directory, 'mysqld'), script, { mode: 0o755 })
    const finding = findDatabaseOnHost({ ...bare, programFolders: [directory] }, options({ keep: true }))
    await expect(finding).rejects.toThrow(/mysqld could not make its data folder \(exit status 7\).*\ndisk on fire/)
    await expect(finding).rejects.toThrow('- apt-get: this is not Debian or Ubuntu')
    expect(said.some((line) => line.includes('mysqld does not work here'))).toBe(true)
  })
})

test('an engine that accepts connections and never answers is passed over', async () => {
  const socketPath = join(directory, 'docker.sock')
  const silent = createServer().listen(socketPath)
  onTestFinished(() => void silent.close())
  await once(silent, 'listening')
  expect(await whyNoEngine(`unix://${socketPath}`)).toMatch(/cannot be reached: no answer within 2 s/)
})

if (programs.length === 0) describe.skip('a private server: neither mysqld nor mariadbd is installed here')

for (const program of programs) {
  describe(`a private ${program.kind} ${program.version}`, { timeout: 60_000 }, () => {
    test('answers on 127.0.0.1, to 500 connections and in utf8mb4', async () => {
      const database = await held(startPrivately(program, options()))
      expect(database.url).toMatch(/^mysql:\/\/root@127\.0\.0\.1:\d+\/mysql$/)
      expect(database.description).toMatch(/^(mysqld|mariadbd) \d+\.\d+\.\d+, run privately on port \d+$/)
      const facts = 'select 1 as one, @@max_connections as connections, @@character_set_server as charset'
      const [row] = await query(database.url, facts)
      expect(row).toMatchObject({ one: 1, charset: 'utf8mb4' })
      expect(row?.connections).toBeGreaterThanOrEqual(500)
    })

    test('keeps its temporary files to itself, where no other server deletes them', async () => {
      const database = await held(startPrivately(program, options()))
      const [row] = await query(database.url, 'select @@tmpdir as folder, @@datadir as datadir')
      expect(row?.folder).toBe(join(row?.datadir, '..', 'tmp'))
    })

    test('deletes data that is not kept, and ends, when it is stopped', async () => {
      const database = await startPrivately(program, options())
      const [row] = await query(database.url, 'select @@pid_file as pidFile, @@datadir as datadir')
      const pid = await readPid(row?.pidFile)
      expect(row?.datadir.startsWith(directory)).toBe(true)
      await Promise.all([database.stop(), database.stop()])
      expect(isRunning(pid)).toBe(false)
      expect(await readdir(directory)).toEqual([])
    })

    test('finds kept data again, and flushes every commit', async () => {
      const first = await held(startPrivately(program, options({ keep: true })))
      await query(
        first.url,
        'create database shop',
        'create table shop.facts (id int)',
        'insert into shop.facts values (7)',
      )
      await first.stop()
      const second = await held(startPrivately(program, options({ keep: true, database: 'shop' })))
      expect(await query(second.url, 'select id from facts')).toMatchObject([{ id: 7 }])
      expect(second.location).toBe(join(directory, program.kind))
      const [row] = await query(second.url, 'select @@innodb_flush_log_at_trx_commit as flush')
      expect(row?.flush).toBe(1)
    })

    test('starts afresh over a first start that was interrupted', async () => {
      const half = join(directory, program.kind, 'data.new')
      await mkdir(half, { recursive: true })
      await writeFile(join(half, 'ibdata1'), 'half')
      const database = await held(startPrivately(program, options({ keep: true })))
      expect(await query(database.url, 'select 1 as one')).toMatchObject([{ one: 1 }])
      expect(existsSync(half)).toBe(false)
    })

    test('says its last words when it ends before it answers', async () => {
      await mkdir(join(directory, program.kind, 'data'), { recursive: true })
      await writeFile(join(directory, program.kind, 'data', 'ibdata1'), 'no table space')
      const finding = startPrivately(program, options({ keep: true }))
      await expect(finding).rejects.toThrow(/it ended with exit status \d+ before it answered.*\n(.*\n)*.*InnoDB/)
    })
  })
}
