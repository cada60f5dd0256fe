import { createHash } from 'node:crypto'
import { existsSync } from 'node:fs'
import { writeFile } from 'node:fs/promises'
import { hostname } from 'node:os'
import { join, resolve } from 'node:path'
import type { ContainerRuntimeClient, GenericContainer, StartedTestContainer } from 'testcontainers'
import type { DevelopmentDatabase, FindOptions } from './development-database.ts'
import { lockDirectory } from './directory-lock.ts'
import { identifyProcess, isAlive } from './process-identity.ts'
import { waitUntilReady } from './wait-until-ready.ts'

const IMAGE = 'mysql:9.7'
const PORT = 3306
const DATA = '/var/lib/mysql'
const READY_TIMEOUT_MS = 120_000
const STOP_TIMEOUT_MS = 30_000

const DIRECTORY_LABEL = 'pointwise.directory'
const OWNER_LABEL = 'pointwise.owner'

/**
 * Runs MySQL in a container and resolves when it accepts connections. On a local engine, its port is published on
 * 127.0.0.1 only. With `keep`, the data is stored in a volume that belongs to the directory; after the directory is
 * deleted, the next start deletes the volume, too. Testcontainers' reaper removes the container of a killed process.
 * Without the reaper, the next start with `keep` on the same directory removes it.
 *
 * @throws DirectoryLockedError when another process uses the data, and Error when the container cannot be started.
 */
export async function startInDocker(options: FindOptions): Promise<DevelopmentDatabase> {
  const directory = resolve(options.directory)
  const { keep, print } = options
  // Imported here, because a production install does not contain Testcontainers.
  const { getContainerRuntimeClient } = await import('testcontainers')
  const client = await getContainerRuntimeClient()
  if (!keep) return run(client, options, undefined)

  const folder = join(directory, 'docker')
  const volume = `pointwise-${createHash('sha256').update(directory).digest('hex').slice(0, 12)}`
  const lock = await lockDirectory(join(folder, 'owners'), `The development database in Docker volume ${volume}`, print)
  try {
    await removeLeftovers(client, directory)
    const complete = join(folder, 'complete')
    if (!existsSync(complete)) await removeVolume(client, volume)
    const database = await run(client, options, volume)
    await writeFile(complete, `${volume}\n`)
    return { ...database, stop: () => database.stop().finally(lock.release) }
  } catch (error) {
    await lock.release()
    throw error
  }
}

async function run(
  client: ContainerRuntimeClient,
  options: FindOptions,
  volume: string | undefined,
): Promise<DevelopmentDatabase> {
  const isLocal = client.info.containerRuntime.host === 'localhost'
  options.print(`Starting ${IMAGE} in Docker. The first start downloads the image.`)
  const container = await (await defineContainer(options, volume, isLocal)).start()
  const timeout = volume === undefined ? 0 : STOP_TIMEOUT_MS
  try {
    const address = { host: isLocal ? '127.0.0.1' : container.getHost(), port: container.getMappedPort(PORT) }
    const { version } = await waitUntilReady(address, READY_TIMEOUT_MS, undefined)
    let stopped: Promise<unknown> | undefined
    return {
      url: `mysql://root@${address.host}:${address.port}/${options.database}`,
      description: `MySQL ${version} in Docker (${IMAGE}), port ${address.port}`,
      location: volume === undefined ? 'the container, deleted when the server stops' : `Docker volume ${volume}`,
      stop: async () => {
        stopped ??= container.stop({ timeout })
        await stopped
      },
    }
  } catch (error) {
    await container.stop({ timeout })
    throw error
  }
}

async function defineContainer(
  { directory }: FindOptions,
  volume: string | undefined,
  isLocal: boolean,
): Promise<{ start(): Promise<StartedTestContainer> }> {
  const { GenericContainer, Wait } = await import('testcontainers')
  class Container extends GenericContainer {
    // root has no password, and Docker would otherwise publish the port on all network interfaces.
    protected override async beforeContainerCreated(): Promise<void> {
      if (isLocal) this.hostConfig.PortBindings = { [`${PORT}/tcp`]: [{ HostIp: '127.0.0.1', HostPort: '0' }] }
    }
  }
  const owner = await identifyProcess(process.pid)
  const container: GenericContainer = new Container(IMAGE)
    .withExposedPorts(PORT)
    .withEnvironment({ MYSQL_ALLOW_EMPTY_PASSWORD: 'yes' })
    .withLabels({ [DIRECTORY_LABEL]: labelOf(resolve(directory)), [OWNER_LABEL]: JSON.stringify(owner) })
    // While the image initializes its data, it runs a temporary server that logs the same line with port 0.
    .withWaitStrategy(Wait.forLogMessage(/ready for connections.* port: 3306\b/))
    .withStartupTimeout(READY_TIMEOUT_MS)
  const settings = ['--max-connections=600', '--character-set-server=utf8mb4', '--disable-log-bin']
  if (volume !== undefined) {
    return container
      .withCommand(['mysqld', ...settings, '--innodb-flush-log-at-trx-commit=1'])
      .withBindMounts([{ source: volume, target: DATA, mode: 'rw' }])
  }
  return container
    .withCommand(['mysqld', ...settings, '--innodb-flush-log-at-trx-commit=0', '--innodb-doublewrite=OFF'])
    .withTmpFs({ [DATA]: 'rw' })
}

// Includes the host name, because several hosts may share one engine.
function labelOf(directory: string): string {
  return `${hostname()}:${directory}`
}

async function removeLeftovers({ container: { dockerode } }: ContainerRuntimeClient, directory: string): Promise<void> {
  const filters = { label: [`${DIRECTORY_LABEL}=${labelOf(directory)}`] }
  for (const { Id, Labels } of await dockerode.listContainers({ all: true, filters })) {
    const owner = JSON.parse(Labels[OWNER_LABEL] ?? 'null')
    if (owner && !(await isAlive(owner))) await dockerode.getContainer(Id).remove({ force: true, v: true })
  }
}

async function removeVolume({ container: { dockerode } }: ContainerRuntimeClient, volume: string): Promise<void> {
  await dockerode
    .getVolume(volume)
    .remove()
    .catch((error: { statusCode?: number }) => {
      if (error.statusCode !== 404) throw error
    })
}
