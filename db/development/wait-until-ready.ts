import { setTimeout } from 'node:timers/promises'
import { createConnection, type RowDataPacket } from 'mysql2/promise'

export interface Address {
  host: string
  port: number
}

/** What a server says of itself. */
export interface ServerInfo {
  version: string
  datadir: string
}

/**
 * Asks the server until it answers.
 *
 * @throws Error with the last refusal after `withinMs`, or the signal's reason when that comes first.
 */
export async function waitUntilReady(address: Address, withinMs: number, signal?: AbortSignal): Promise<ServerInfo> {
  const deadline = Date.now() + withinMs
  for (;;) {
    try {
      return await ask(address)
    } catch (error) {
      signal?.throwIfAborted()
      if (Date.now() > deadline) {
        const { message } = error as Error
        throw new Error(`It did not answer on port ${address.port} within ${withinMs / 1000} s: ${message}`)
      }
    }
    await setTimeout(20)
  }
}

async function ask({ host, port }: Address): Promise<ServerInfo> {
  const connection = await createConnection({ host, port, user: 'root', connectTimeout: 5_000 })
  try {
    const [rows] = await connection.query<(ServerInfo & RowDataPacket)[]>(
      'select @@version as version, @@datadir as datadir',
    )
    if (!rows[0]) throw new Error('The server answered a select without a row.')
    return rows[0]
  } finally {
    await connection.end()
  }
}
