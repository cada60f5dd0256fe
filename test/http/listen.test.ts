import { once } from 'node:events'
import { connect as connectSocket, createServer } from 'node:net'
import { connect } from '@pointwise/db'
import { buildApp, createLogger } from '@pointwise/server'
import { describe, expect, onTestFinished, test } from 'vitest'
import { listen } from '../../server/src/http/server.ts'
import { CONFIG } from '../setup/configuration.ts'
import { databaseUrl } from '../setup/database.ts'

async function listenOn(host: string, port = 0): Promise<{ close: () => Promise<void>; port: number }> {
  const db = connect(databaseUrl())
  const app = await buildApp({ db, config: CONFIG, logger: createLogger('silent') })
  const close = async () => {
    await app.close()
    await db.destroy()
  }
  onTestFinished(close)
  await listen(app, { host, port })
  return { close, port: (app.server.address() as { port: number }).port }
}

const statusAt = async (url: string) => (await fetch(`${url}/livez`)).status

async function hasIPv6(): Promise<boolean> {
  const server = createServer().listen(0, '::1')
  const [event] = await Promise.race([once(server, 'listening').then(() => ['yes']), once(server, 'error')])
  server.close()
  return event === 'yes'
}
const IPV6 = await hasIPv6()

describe('HOST=localhost', () => {
  test.runIf(IPV6)('serves 127.0.0.1 and ::1 on one port, and neither after the server is closed', async () => {
    const { close, port } = await listenOn('localhost')
    for (const host of ['127.0.0.1', '[::1]', 'localhost']) {
      expect({ host, status: await statusAt(`http://${host}:${port}`) }).toEqual({ host, status: 200 })
    }
    await close()
    for (const host of ['127.0.0.1', '::1']) {
      const [error] = await once(connectSocket(port, host), 'error').catch((error) => [error])
      expect(error).toMatchObject({ code: 'ECONNREFUSED' })
    }
  })

  test.runIf(IPV6)('fails when ::1 has another server on the port', async () => {
    const { port } = await listenOn('::1')
    await expect(listenOn('localhost', port)).rejects.toMatchObject({ code: 'EADDRINUSE' })
  })

  test('serves 127.0.0.1 on a machine without IPv6, too', async () => {
    const { port } = await listenOn('localhost')
    expect(await statusAt(`http://127.0.0.1:${port}`)).toBe(200)
  })
})

test.runIf(IPV6)('another address is served alone', async () => {
  const { port } = await listenOn('127.0.0.1')
  await expect(statusAt(`http://[::1]:${port}`)).rejects.toThrow('fetch failed')
})
