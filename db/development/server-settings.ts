import { join } from 'node:path'
import type { ServerKind } from './server-binaries.ts'

export interface Settings {
  kind: ServerKind
  /** Where logs and everything else lies that is no data. */
  home: string
  datadir: string
  keep: boolean
}

/**
 * Temporary files of this server alone. In a folder that servers share, each deletes the files of all others when it
 * starts, and their statements fail.
 */
export function temporaryFolder(home: string): string {
  return join(home, 'tmp')
}

/** What a server gets each time it runs, its first start included. --no-defaults has to come first. */
export function baseSettings({ kind, home, datadir, keep }: Settings): string[] {
  return [
    '--no-defaults',
    `--datadir=${datadir}`,
    `--tmpdir=${temporaryFolder(home)}`,
    ...(process.getuid?.() === 0 ? ['--user=root'] : []),
    ...(kind === 'mysql' ? MYSQL : []),
    ...(keep ? DURABLE : QUICK[kind]),
  ]
}

/** What a server gets to serve on a port of this machine alone. */
export function servingSettings(settings: Settings, port: number): string[] {
  return [
    ...baseSettings(settings),
    '--bind-address=127.0.0.1',
    `--port=${port}`,
    // No socket file: its path may have 107 bytes at most, and nobody would use it.
    '--socket=',
    '--max-connections=600',
    '--character-set-server=utf8mb4',
  ]
}

// Without a folder for file exchange, which mysqld would insist on; without a second protocol on a second, fixed port;
// without a binary log, which nothing reads here and which grows.
const MYSQL = ['--secure-file-priv=NULL', '--mysqlx=OFF', '--disable-log-bin', '--auto-generate-certs=OFF']

const DURABLE = ['--innodb-flush-log-at-trx-commit=1']

const RELAXED = ['--innodb-flush-log-at-trx-commit=0', '--innodb-doublewrite=OFF']

const QUICK: Record<ServerKind, string[]> = {
  mysql: [...RELAXED, '--innodb-redo-log-capacity=64M'],
  mariadb: [...RELAXED, '--innodb-log-file-size=64M'],
}
