import { execFile } from 'node:child_process'
import { existsSync } from 'node:fs'
import { mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import type { ServerBinary } from './server-binaries.ts'
import { baseSettings } from './server-settings.ts'
import type { SupervisedProcess, SuperviseOptions } from './supervised-process.ts'

export interface InitializeOptions {
  binary: ServerBinary
  /** The folder of the server directory, which contains the log and the temporary files. It must exist. */
  folder: string
  /** The data directory to create, inside `folder`. */
  datadir: string
  keep: boolean
  run: (command: string[], options: Omit<SuperviseOptions, 'output'>) => Promise<SupervisedProcess>
}

/**
 * Creates a data directory in which the user root has no password. It is created under another name and renamed when it
 * is complete, so `datadir` never exists in part.
 *
 * @throws Error when the server's program fails. The reason is in the log to which `run` redirects its output.
 */
export async function initializeDatadir({ binary, folder, datadir, keep, run }: InitializeOptions): Promise<void> {
  const draft = `${datadir}.new`
  await rm(draft, { recursive: true, force: true })
  const settings = baseSettings({ kind: binary.kind, folder, datadir: draft, keep })
  // KILL, because a mariadbd that receives TERM while it creates its tables exits with status 0.
  const onExit = { signal: 'KILL', remove: { path: keep ? draft : folder, when: 'failure' } } as const
  let status: number
  if (binary.kind === 'mysql') {
    const server = await run([binary.file, ...settings, '--initialize-insecure'], onExit)
    status = await server.ended
  } else {
    const input = `${datadir}.sql`
    await writeFile(input, await systemTablesSql(binary.file))
    await mkdir(draft, { mode: 0o700 })
    const server = await run([binary.file, ...settings, ...BOOTSTRAP], { ...onExit, input })
    status = await server.ended
    await rm(input, { force: true })
  }
  if (status !== 0) throw new Error(`${binary.file} could not create its data directory (exit status ${status}).`)
  await rename(draft, datadir)
}

// The arguments of the script mariadb-install-db. Debian's mariadb-server-core contains the script, but not
// my_print_defaults, which it requires.
const BOOTSTRAP = [
  '--bootstrap',
  '--silent-startup',
  '--log-warnings=0',
  '--enforce-storage-engine=',
  '--max-allowed-packet=8M',
  '--net-buffer-length=16K',
]

const SYSTEM_TABLES = ['system_tables.sql', 'performance_tables.sql', 'system_tables_data.sql']

async function systemTablesSql(file: string): Promise<string> {
  const { stdout } = await promisify(execFile)(file, ['--no-defaults', '--verbose', '--help'])
  const share = /^character-sets-dir\s+(.+)\/charsets\/?$/m.exec(stdout)?.[1]
  if (share === undefined)
    throw new Error(
      `The SQL files of ${file} could not be found: expected character-sets-dir in its --verbose --help. Reinstall the server.`,
    )
  const parts = SYSTEM_TABLES.map((name) => {
    // MariaDB 11 has renamed the files.
    const found = [`mariadb_${name}`, `mysql_${name}`].map((each) => join(share, each)).find((each) => existsSync(each))
    if (found === undefined)
      throw new Error(`mysql_${name} is missing. ${file} requires it in ${share}. Reinstall the server.`)
    return readFile(found, 'utf8')
  })
  const prelude = ['create database if not exists mysql;', 'use mysql;', 'set @auth_root_socket=null;']
  return [...prelude, ...(await Promise.all(parts))].join('\n')
}
