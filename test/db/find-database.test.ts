import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { mkdir, readdir, writeFile } from 'node:fs/promises'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { findDatabase } from '@pointwise/db/development'
import { describe, expect, onTestFinished, test } from 'vitest'
import { dockerUnavailableReason } from '../../db/development/docker-engine.ts'
import { findDatabaseOnHost } from '../../db/development/find-on-host.ts'
import { type HostEnvironment, thisHost } from '../../db/development/host-environment.ts'
import { startPrivately } from '../../db/development/local-provider.ts'
import { findServerBinaries } from '../../db/development/server-binaries.ts'

import {
  directory,
  isRunning,
  options,
  printed,
  query,
  readPid,
  setUpDirectories,
  stopAfterTest,
} from '../setup/development-database.ts'

setUpDirectories()

const { programFolders } = thisHost()
const binaries = (await findServerBinaries(programFolders)).usable

/** A host without any database server. Each test adds what it examines. */
const bareHost: HostEnvironment = {
  dockerHost: 'unix:///nowhere/docker.sock',
  programFolders: [],
  aptGet: async () => 'this host is not Debian or Ubuntu',
}

describe('a URL in the options', () => {
  test('is used unchanged, and nothing is started', async () => {
    const url = 'mysql://shop:secret@db.example:3307/shop'
    const database = await findDatabase(options({ url }))
    expect(database).toMatchObject({ url, description: 'the server of DATABASE_URL, db.example:3307' })
    expect(database.location).toBe('db.example:3307')
    await database.stop()
    expect(await readdir(directory)).toEqual([])
    expect(printed).toEqual([])
  })

  test('that is not valid is rejected with an error that does not contain its password', async () => {
    const message = 'DATABASE_URL is not valid. Expected mysql://user:password@host:port/database.'
    for (const url of ['//shop:secret@db', 'shop:secret@db', 'postgres://shop:secret@db/shop']) {
      await expect(findDatabase(options({ url }))).rejects.toThrow(new Error(message))
    }
  })
})

describe('on a host without a database server', () => {
  test('the error lists what was tried and the three remedies', async () => {
    const finding = findDatabaseOnHost(bareHost, options())
    await expect(finding).rejects.toThrow(
      /^No database server could be started\. Tried:\n- Docker: the socket .* does not exist/,
    )
    await expect(finding).rejects.toThrow('- mysqld or mariadbd: no usable server found in any folder')
    await expect(finding).rejects.toThrow('- apt-get: this host is not Debian or Ubuntu')
    await expect(finding).rejects.toThrow(/running Docker engine\n.*mariadb-server-core\)\n.*DATABASE_URL=mysql:\/\//)
  })

  test('a provider in the options is the only one that is tried', async () => {
    const docker = findDatabaseOnHost(bareHost, options({ provider: 'docker' }))
    await expect(docker).rejects.toThrow(
      /\(POINTWISE_DATABASE=docker\)\. Tried:\n- Docker: [^\n]*\nProvide one of these/,
    )
    const local = findDatabaseOnHost(bareHost, options({ provider: 'local' }))
    await expect(local).rejects.toThrow(/\(POINTWISE_DATABASE=local\)\. Tried:\n- mysqld or mariadbd: [^\n]*\n- apt/)
  })

  test('the error contains the output of a failed apt-get', async () => {
    const failing = ['sh', '-c', 'echo "E: Unable to locate package" >&2; exit 100', 'apt-get']
    const finding = findDatabaseOnHost({ ...bareHost, aptGet: async () => failing }, options())
    await expect(finding).rejects.toThrow(
      /- apt-get: mariadb-server-core could not be installed\. Last lines of the output:\nE: Unable to locate package/,
    )
    expect(printed[0]).toBe('Installing mariadb-server-core with apt-get. The package starts no service.')
  })

  test('the error lists the programs that were found and why they cannot be used', async () => {
    await writeFile(join(directory, 'mysqld'), '#!/bin/sh\necho "mysqld  Ver 5.7.44 for Linux on x86_64"\n', {
      mode: 0o755,
    })
    await writeFile(join(directory, 'mariadbd'), 'not a program', { mode: 0o644 })
    const finding = findDatabaseOnHost({ ...bareHost, programFolders: [directory] }, options())
    await expect(finding).rejects.toThrow(/mysqld is version 5\.7\.44; 8\.4 or later is required/)
    await expect(finding).rejects.toThrow(/mariadbd cannot be executed: /)
  })

  test('the next provider is tried after a server fails, and the error contains the last lines of its log', async () => {
    const script = '#!/bin/sh\n[ "$2" = --version ] && { echo "Ver 9.7.0"; exit; }\necho "disk full" >&2; exit 7\n'
    await writeFile(join(directory, 'mysqld'), script, { mode: 0o755 })
    const finding = findDatabaseOnHost({ ...bareHost, programFolders: [directory] }, options({ keep: true }))
    await expect(finding).rejects.toThrow(
      /mysqld could not create its data directory \(exit status 7\)\.\nLast lines of its log:\ndisk full/,
    )
    await expect(finding).rejects.toThrow('- apt-get: this host is not Debian or Ubuntu')
    expect(printed.some((line) => line.includes('mysqld cannot be used'))).toBe(true)
  })
})

test('a Docker engine that accepts connections and does not respond counts as unavailable', async () => {
  const socketPath = join(directory, 'docker.sock')
  const silent = createServer().listen(socketPath)
  onTestFinished(() => void silent.close())
  await once(silent, 'listening')
  expect(await dockerUnavailableReason(`unix://${socketPath}`)).toMatch(/cannot be reached: no response within 2 s/)
})

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
