import { once } from 'node:events'
import { readdir, writeFile } from 'node:fs/promises'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { findDatabase } from '@pointwise/db/development'
import { describe, expect, onTestFinished, test } from 'vitest'
import { dockerUnavailableReason } from '../../db/development/docker-engine.ts'
import { findDatabaseOnHost } from '../../db/development/find-on-host.ts'
import type { HostEnvironment } from '../../db/development/host-environment.ts'

import { directory, options, printed, setUpDirectories } from '../setup/development-database.ts'

setUpDirectories()

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
    for (const url of [
      '//shop:secret@db',
      'shop:secret@db',
      'postgres://shop:secret@db/shop',
      'mysql://db/?secret=1',
    ]) {
      const error: Error = await findDatabase(options({ url })).then(Promise.reject, (error) => error)
      expect(error.message).toMatch(/^The database URL (must have the form|names no user name)/)
      expect(error.message).not.toContain('secret')
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
