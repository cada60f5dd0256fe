import type { DevelopmentDatabase, FindOptions } from './development-database.ts'
import { findDatabaseOnHost } from './find-on-host.ts'
import { thisHost } from './host-environment.ts'

export type { DatabaseProvider, DevelopmentDatabase, FindOptions } from './development-database.ts'

/**
 * Finds or starts a database server for development or tests, and resolves when it accepts connections. It uses the
 * first of these that is available:
 * 1. `options.url`.
 * 2. A Docker engine.
 * 3. A private process of the installed mysqld or mariadbd.
 * 4. The same after installing mariadb-server-core, on Debian and Ubuntu as root or with passwordless sudo.
 *
 * A server that it has started stops when this process exits, also after a crash or SIGKILL. It changes no system
 * service.
 *
 * @throws Error that lists what was tried and what to do, when no server is available.
 * @throws DirectoryLockedError when another process uses the data of `options.directory`.
 */
export function findDatabase(options: FindOptions): Promise<DevelopmentDatabase> {
  return findDatabaseOnHost(thisHost(), options)
}
