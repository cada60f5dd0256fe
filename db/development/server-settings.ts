import { join } from 'node:path'
import type { ServerKind } from './server-binaries.ts'

export interface Settings {
  kind: ServerKind
  /** The folder of the server directory, which contains the log and the temporary files. */
  folder: string
  datadir: string
  keep: boolean
}

/**
 * Returns the folder for a server's temporary files. Servers must not share one: at its start, each server deletes the
 * temporary files in it, and the statements of the other servers fail.
 */
export function temporaryFolder(folder: string): string {
  return join(folder, 'tmp')
}

/**
 * Returns the arguments of every run of a server, including its initialization. --no-defaults must be the first one.
 */
export function baseSettings({ kind, folder, datadir, keep }: Settings): string[] {
  return [
    '--no-defaults',
    `--datadir=${datadir}`,
    `--tmpdir=${temporaryFolder(folder)}`,
    ...(process.getuid?.() === 0 ? ['--user=root'] : []),
    ...(kind === 'mysql' ? MYSQL : []),
    ...(keep ? DURABLE : VOLATILE[kind]),
  ]
}

/** Returns the arguments with which a server listens on a port of 127.0.0.1. */
export function servingSettings(settings: Settings, port: number): string[] {
  return [
    ...baseSettings(settings),
    '--bind-address=127.0.0.1',
    `--port=${port}`,
    // No socket file: its path is limited to 107 bytes, and it would not be used.
    '--socket=',
    '--max-connections=600',
    '--character-set-server=utf8mb4',
  ]
}

// By default, mysqld requires a folder for file exchange, opens a second fixed port for the X protocol, and writes a
// binary log that grows and that nothing reads here.
const MYSQL = ['--secure-file-priv=NULL', '--mysqlx=OFF', '--disable-log-bin', '--auto-generate-certs=OFF']

const DURABLE = ['--innodb-flush-log-at-trx-commit=1']

const RELAXED = ['--innodb-flush-log-at-trx-commit=0', '--innodb-doublewrite=OFF']

const VOLATILE: Record<ServerKind, string[]> = {
  mysql: [...RELAXED, '--innodb-redo-log-capacity=64M'],
  mariadb: [...RELAXED, '--innodb-log-file-size=64M'],
}
