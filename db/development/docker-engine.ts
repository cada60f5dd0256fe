import { existsSync } from 'node:fs'
import { request } from 'node:http'

const ANSWERS_WITHIN_MS = 2_000

/**
 * Why no Docker engine can be used at this address, in one clause; undefined when one answers, or when only trying will
 * tell because the address is no Unix socket.
 */
export async function whyNoEngine(dockerHost: string): Promise<string | undefined> {
  if (!dockerHost.startsWith('unix://')) return undefined
  const socketPath = dockerHost.slice('unix://'.length)
  if (!existsSync(socketPath)) return `there is no engine at ${socketPath}`
  return new Promise((resolve) => {
    const ping = request({ socketPath, path: '/_ping', timeout: ANSWERS_WITHIN_MS }, (response) => {
      response.resume()
      const { statusCode } = response
      resolve(statusCode === 200 ? undefined : `the engine at ${socketPath} answered with status ${statusCode}`)
    })
    ping.once('timeout', () => ping.destroy(new Error(`no answer within ${ANSWERS_WITHIN_MS / 1000} s`)))
    ping.once('error', (error) => resolve(`the engine at ${socketPath} cannot be reached: ${error.message}`))
    ping.end()
  })
}
