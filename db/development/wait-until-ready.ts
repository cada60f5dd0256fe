import { setTimeout } from 'node:timers/promises'
import { createConnection, type RowDataPacket } from 'mysql2/promise'

export interface Address {
  host: string
  port: number
}

/** System variables of a server. */
export interface ServerInfo {
  version: string
  datadir: string
}

/**
 * Connects to the server repeatedly until a query succeeds, and returns the query's result.
 *
 * @throws Error with the last failure after `timeoutMs`, or the signal's reason once it is aborted.
 */
export async function waitUntilReady(address: Address, timeoutMs: number, signal?: AbortSignal): Promise<ServerInfo> {
  const deadline = Date.now() + timeoutMs
  for (;;) {
    try {
      return await queryInfo(address)
    } catch (error) {
      signal?.throwIfAborted()
      if (Date.now() > deadline) {
        const { message } = error as Error
        throw new Error(
          `The server did not accept connections on port ${address.port} within ${timeoutMs / 1000} s. Last error: ${message}`,
        )
      }
    }
    await setTimeout(20)
  }
}

async function queryInfo({ host, port }: Address): Promise<ServerInfo> {
  const connection = await createConnection({ host, port, user: 'root', connectTimeout: 5_000 })
  try {
    const [rows] = await connection.query<(ServerInfo & RowDataPacket)[]>(
      'select @@version as version, @@datadir as datadir',
    )
    if (!rows[0]) throw new Error('The server returned no row for a SELECT of its version. Expected one row.')
    return rows[0]
  } finally {
    await connection.end()
  }
}
