import { execFile } from 'node:child_process'
import { existsSync } from 'node:fs'
import { mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import type { ServerBinary } from './server-binaries.ts'
import { baseSettings } from './server-settings.ts'
import type { SupervisedProcess, SuperviseOptions } from './supervised-process.ts'

export interface InitializeOptions {
  program: ServerBinary
  /** Where logs and the like lie. It exists. */
  home: string
  /** The data folder to make, in that home. */
  datadir: string
  keep: boolean
  run: (command: string[], options: Omit<SuperviseOptions, 'output'>) => Promise<SupervisedProcess>
}

/**
 * Makes a data folder whose root has no password. It is made under another name and renamed when complete, so that the
 * folder either exists as a whole or not at all.
 *
 * @throws Error when the program fails; its output says why.
 */
export async function initializeDatadir({ program, home, datadir, keep, run }: InitializeOptions): Promise<void> {
  const draft = `${datadir}.new`
  await rm(draft, { recursive: true, force: true })
  const settings = baseSettings({ kind: program.kind, home, datadir: draft, keep })
  // Killed, not asked: a mariadbd that is asked to end while it makes its tables says that all is well.
  const end = { signal: 'KILL', remove: { path: keep ? draft : home, when: 'failure' } } as const
  let status: number
  if (program.kind === 'mysql') {
    const leash = await run([program.file, ...settings, '--initialize-insecure'], end)
    status = await leash.ended
  } else {
    const input = `${datadir}.sql`
    await writeFile(input, await systemTables(program.file))
    await mkdir(draft, { mode: 0o700 })
    const leash = await run([program.file, ...settings, ...BOOTSTRAP], { ...end, input })
    status = await leash.ended
    await rm(input, { force: true })
  }
  if (status !== 0) throw new Error(`${program.file} could not make its data folder (exit status ${status})`)
  await rename(draft, datadir)
}

// What mariadb-install-db does. Debian's mariadb-server-core has that script, and not my_print_defaults, without which
// the script does not run.
const BOOTSTRAP = [
  '--bootstrap',
  '--silent-startup',
  '--log-warnings=0',
  '--enforce-storage-engine=',
  '--max-allowed-packet=8M',
  '--net-buffer-length=16K',
]

const SYSTEM_TABLES = ['system_tables.sql', 'performance_tables.sql', 'system_tables_data.sql']

async function systemTables(file: string): Promise<string> {
  const { stdout } = await promisify(execFile)(file, ['--no-defaults', '--verbose', '--help'])
  const share = /^character-sets-dir\s+(.+)\/charsets\/?$/m.exec(stdout)?.[1]
  if (share === undefined) throw new Error(`${file} does not tell where its SQL files lie`)
  const parts = SYSTEM_TABLES.map((name) => {
    // MariaDB 11 renamed them.
    const found = [`mariadb_${name}`, `mysql_${name}`].map((each) => join(share, each)).find((each) => existsSync(each))
    if (found === undefined) throw new Error(`mysql_${name} is missing in ${share}, where ${file} expects it`)
    return readFile(found, 'utf8')
  })
  const prelude = ['create database if not exists mysql;', 'use mysql;', 'set @auth_root_socket=null;']
  return [...prelude, ...(await Promise.all(parts))].join('\n')
}
