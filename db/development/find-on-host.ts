import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { formatServer, parseDatabaseUrl } from '../src/database-url.ts'
import { installServer } from './apt.ts'
import type { DevelopmentDatabase, FindOptions } from './development-database.ts'
import { DirectoryLockedError } from './directory-lock.ts'
import { dockerUnavailableReason } from './docker-engine.ts'
import { startInDocker } from './docker-provider.ts'
import type { HostEnvironment } from './host-environment.ts'
import { startPrivately } from './local-provider.ts'
import { findServerBinaries, type ServerBinary } from './server-binaries.ts'

/** `findDatabase` on the given host, which decides which servers are available. */
export async function findDatabaseOnHost(host: HostEnvironment, options: FindOptions): Promise<DevelopmentDatabase> {
  const { url } = options
  if (url) return fromUrl({ ...options, url })
  const failures: string[] = []
  const database =
    (options.provider === 'local' ? undefined : await tryDocker(host, options, failures)) ??
    (options.provider === 'docker' ? undefined : await tryLocal(host, options, failures))
  if (database) return database
  throw new Error(
    `No database server could be started${options.provider ? ` (POINTWISE_DATABASE=${options.provider})` : ''}. Tried:\n` +
      `${failures.map((failure) => `- ${failure}`).join('\n')}\n` +
      'Provide one of these, then start again:\n' +
      '- a running Docker engine\n' +
      '- mysqld 8.4 or later, or mariadbd 10.11 or later, on the PATH ' +
      '(Debian and Ubuntu: apt-get install mariadb-server-core)\n' +
      '- another server: DATABASE_URL=mysql://user:password@host:port/database',
  )
}

function fromUrl({ url, database }: FindOptions & { url: string }): DevelopmentDatabase {
  const location = parseDatabaseUrl(url, database).servers.map(formatServer).join(', ')
  return { url, description: `the server of DATABASE_URL, ${location}`, location, stop: async () => undefined }
}

async function tryDocker({ dockerHost }: HostEnvironment, options: FindOptions, failures: string[]) {
  const reason = await dockerUnavailableReason(dockerHost)
  if (reason !== undefined) {
    failures.push(`Docker: ${reason}`)
    return undefined
  }
  return attempt(`Docker at ${dockerHost}`, () => startInDocker(options), options, failures)
}

async function tryLocal(host: HostEnvironment, options: FindOptions, failures: string[]) {
  const failed = new Set<string>()
  const database = await tryBinaries(host, options, failures, failed)
  if (database) return database
  const aptGet = await host.aptGet()
  if (typeof aptGet === 'string') {
    failures.push(`apt-get: ${aptGet}`)
    return undefined
  }
  const install = () => installServer(aptGet, options.print).then(() => true)
  const isInstalled = await attempt('apt-get', install, options, failures)
  return isInstalled ? tryBinaries(host, options, failures, failed) : undefined
}

/** Starts the first installed server that works. `failed` contains those that an earlier call has tried. */
async function tryBinaries(
  { programFolders }: HostEnvironment,
  options: FindOptions,
  failures: string[],
  failed: Set<string>,
): Promise<DevelopmentDatabase | undefined> {
  const { usable, unusable } = await findServerBinaries(programFolders)
  failures.push(...unusable.filter((reason) => !failures.includes(reason)))
  // A server whose data exists is preferred, so that the data is still found after another server was installed.
  const hasData = ({ kind }: ServerBinary) => Number(existsSync(join(options.directory, kind, 'data')))
  if (options.keep) usable.sort((a, b) => hasData(b) - hasData(a))
  for (const binary of usable.filter(({ file }) => !failed.has(file))) {
    const database = await attempt(binary.file, () => startPrivately(binary, options), options, failures)
    if (database) return database
    failed.add(binary.file)
  }
  if (usable.length === 0) {
    failures.push(`mysqld or mariadbd: no usable server found in ${programFolders.join(', ') || 'any folder'}`)
  }
  return undefined
}

async function attempt<T>(
  name: string,
  action: () => Promise<T>,
  { print }: FindOptions,
  failures: string[],
): Promise<T | undefined> {
  try {
    return await action()
  } catch (error) {
    if (error instanceof DirectoryLockedError) throw error
    const { message } = error as Error
    failures.push(`${name}: ${message}`)
    print(`${name} cannot be used: ${message}`)
    return undefined
  }
}
