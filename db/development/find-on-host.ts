import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { installServer } from './apt.ts'
import type { DevelopmentDatabase, FindOptions } from './development-database.ts'
import { DirectoryLockedError } from './directory-lock.ts'
import { whyNoEngine } from './docker-engine.ts'
import { startInDocker } from './docker-provider.ts'
import type { HostEnvironment } from './host-environment.ts'
import { startPrivately } from './local-provider.ts'
import { findServerBinaries, type ServerBinary } from './server-binaries.ts'

/** `findDatabase`, on a machine that is given: what it holds decides which ways there are. */
export async function findDatabaseOnHost(machine: HostEnvironment, options: FindOptions): Promise<DevelopmentDatabase> {
  if (options.url) return given(options.url)
  const tried: string[] = []
  const found =
    (options.provider === 'local' ? undefined : await inDocker(machine, options, tried)) ??
    (options.provider === 'docker' ? undefined : await onThisMachine(machine, options, tried))
  if (found) return found
  throw new Error(
    `No database server could be started${options.provider ? ` the way that was picked (${options.provider})` : ''}. Tried:\n` +
      `${tried.map((line) => `- ${line}`).join('\n')}\n` +
      'One of these is needed:\n' +
      '- a running Docker engine;\n' +
      '- mysqld 8.4 or later or mariadbd 10.11 or later on the PATH, such as by: apt-get install mariadb-server-core\n' +
      '- a server of your own: DATABASE_URL=mysql://user:password@host:port/database',
  )
}

function given(url: string): DevelopmentDatabase {
  // The URL may hold a password, so the message does not repeat it.
  if (!URL.canParse(url) || new URL(url).protocol !== 'mysql:') {
    throw new Error('DATABASE_URL cannot be read: mysql://user:password@host:port/database is expected.')
  }
  const { host } = new URL(url)
  return { url, description: `the server of DATABASE_URL, ${host}`, location: host, stop: async () => undefined }
}

async function inDocker(machine: HostEnvironment, options: FindOptions, tried: string[]) {
  const why = await whyNoEngine(machine.dockerHost)
  if (why !== undefined) {
    tried.push(`Docker: ${why}`)
    return undefined
  }
  return attempt(`Docker at ${machine.dockerHost}`, () => startInDocker(options), options, tried)
}

async function onThisMachine({ programFolders, aptGet }: HostEnvironment, options: FindOptions, tried: string[]) {
  const failed = new Set<string>()
  const tryPrograms = async (): Promise<DevelopmentDatabase | undefined> => {
    const { usable, unusable } = await findServerBinaries(programFolders)
    for (const clause of unusable) if (!tried.includes(clause)) tried.push(clause)
    // The server of data that was kept comes first, so that one installed later does not hide that data.
    const hasData = ({ kind }: ServerBinary) => Number(existsSync(join(options.directory, kind, 'data')))
    if (options.keep) usable.sort((a, b) => hasData(b) - hasData(a))
    for (const program of usable.filter(({ file }) => !failed.has(file))) {
      const database = await attempt(program.file, () => startPrivately(program, options), options, tried)
      if (database) return database
      failed.add(program.file)
    }
    if (usable.length === 0)
      tried.push(`mysqld or mariadbd: none to use in ${programFolders.join(', ') || 'no folder'}`)
    return undefined
  }
  const database = await tryPrograms()
  if (database) return database
  const command = await aptGet()
  if (typeof command === 'string') {
    tried.push(`apt-get: ${command}`)
    return undefined
  }
  const isInstalled = await attempt(
    'apt-get',
    () => installServer(command, options.print).then(() => true),
    options,
    tried,
  )
  return isInstalled ? tryPrograms() : undefined
}

async function attempt<T>(
  name: string,
  action: () => Promise<T>,
  { print }: FindOptions,
  tried: string[],
): Promise<T | undefined> {
  try {
    return await action()
  } catch (error) {
    if (error instanceof DirectoryLockedError) throw error
    const { message } = error as Error
    tried.push(`${name}: ${message}`)
    print(`${name} does not work here: ${message}`)
    return undefined
  }
}
