import type { DevelopmentDatabase, FindOptions } from './development-database.ts'
import { findDatabaseOnHost } from './find-on-host.ts'
import { thisHost } from './host-environment.ts'

export type { DatabaseProvider, DevelopmentDatabase, FindOptions } from './development-database.ts'

/**
 * Finds a database server for development or tests, or starts one, and resolves when it answers. In this order: the
 * URL that was given; a Docker engine; mysqld or mariadbd, run privately; the same after installing mariadb-server-core,
 * on Debian and Ubuntu as root or with passwordless sudo.
 *
 * What it started ends with this process, however that ends, and no system service is touched.
 *
 * @throws Error that says what was tried and what to do, when no way works, or when the kept data is in use.
 */
export function findDatabase(options: FindOptions): Promise<DevelopmentDatabase> {
  return findDatabaseOnHost(thisHost(), options)
}
