import { existsSync } from 'node:fs'
import { request } from 'node:http'

const RESPONSE_TIMEOUT_MS = 2_000

/**
 * Returns the reason why no Docker engine can be used at `dockerHost`, as one clause. Returns undefined when an engine
 * responds, and when the address is not a Unix socket, which this function does not check.
 */
export async function dockerUnavailableReason(dockerHost: string): Promise<string | undefined> {
  if (!dockerHost.startsWith('unix://')) return undefined
  const socketPath = dockerHost.slice('unix://'.length)
  if (!existsSync(socketPath)) return `the socket ${socketPath} does not exist`
  return new Promise((resolve) => {
    const ping = request({ socketPath, path: '/_ping', timeout: RESPONSE_TIMEOUT_MS }, (response) => {
      response.resume()
      const { statusCode } = response
      resolve(
        statusCode === 200
          ? undefined
          : `the engine at ${socketPath} responded with HTTP status ${statusCode}; expected 200`,
      )
    })
    ping.once('timeout', () => ping.destroy(new Error(`no response within ${RESPONSE_TIMEOUT_MS / 1000} s`)))
    ping.once('error', (error) => resolve(`the engine at ${socketPath} cannot be reached: ${error.message}`))
    ping.end()
  })
}
