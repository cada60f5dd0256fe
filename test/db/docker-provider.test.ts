import { once } from 'node:events'
import { type DevelopmentDatabase, findDatabase } from '@pointwise/db/development'
import { describe, expect, test } from 'vitest'
import { dockerUnavailableReason } from '../../db/development/docker-engine.ts'
import { thisHost } from '../../db/development/host-environment.ts'

import {
  databaseOf,
  options,
  query,
  setUpDirectories,
  startOwner,
  stopAfterTest,
} from '../setup/development-database.ts'

setUpDirectories()

const { dockerHost } = thisHost()
const unavailableReason = await dockerUnavailableReason(dockerHost)

describe.skipIf(unavailableReason !== undefined)(
  `MySQL in Docker (${unavailableReason ?? dockerHost})`,
  { timeout: 300_000 },
  () => {
    async function deleteVolume({ location }: DevelopmentDatabase): Promise<void> {
      const { getContainerRuntimeClient } = await import('testcontainers')
      const { container } = await getContainerRuntimeClient()
      await container.dockerode.getVolume(location.replace('Docker volume ', '')).remove()
    }

    test('is the first choice, accepts connections, and is removed when it is stopped', async () => {
      const database = await stopAfterTest(findDatabase(options()))
      expect(database.description).toMatch(/^MySQL 9\.7\.\d+\S* in Docker \(mysql:9\.7\), port \d+$/)
      const [row] = await query(database.url, 'select 1 as one, @@max_connections as connections')
      expect(row).toMatchObject({ one: 1 })
      expect(row?.connections).toBeGreaterThanOrEqual(500)
      await database.stop()
      await expect(query(database.url, 'select 1')).rejects.toThrow('ECONNREFUSED')
    })

    test('reuses its data, also after its owner was killed, and rejects a second owner', async () => {
      const owner = startOwner('docker', 'yes')
      const { url } = await databaseOf(owner)
      await query(url, 'create database shop', 'create table shop.facts (id int)', 'insert into shop.facts values (7)')
      const second = findDatabase(options({ keep: true, provider: 'docker' }))
      await expect(second).rejects.toThrow(`is in use by process ${owner.pid}`)
      owner.process.kill('SIGKILL')
      await once(owner.process, 'exit')

      const next = await findDatabase(options({ keep: true, provider: 'docker', database: 'shop' }))
      expect(await query(next.url, 'select id from facts')).toMatchObject([{ id: 7 }])
      await next.stop()
      const last = await findDatabase(options({ keep: true, provider: 'docker', database: 'shop' }))
      expect(await query(last.url, 'select id from facts')).toMatchObject([{ id: 7 }])
      await last.stop()
      await deleteVolume(last)
    })
  },
)
