import { fork } from 'node:child_process'
import { once } from 'node:events'
import { request } from 'node:http'
import { createCaller } from '@pointwise/server'
import { expect, onTestFinished, test } from 'vitest'
import { signUserToken } from '../setup/configuration.ts'
import { emptyDatabase } from '../setup/database.ts'

const STREAMS = 500
/** 100 MB for 2,000 streams. */
const BYTES_PER_STREAM_MAX = 50_000

test(`an idle stream takes less than ${BYTES_PER_STREAM_MAX / 1_000} kB of heap`, { timeout: 240_000 }, async () => {
  const { url, db } = await emptyDatabase()
  const { id } = await createCaller({ db, admin: true }).users.create({ name: 'Ada' })
  await db.destroy()
  const server = fork(new URL('./idle-streams-server.ts', import.meta.url), [url], { execArgv: ['--expose-gc'] })
  onTestFinished(() => void server.kill())
  const [serverUrl] = (await once(server, 'message')) as [string]
  const readHeapUsed = async () => {
    server.send('heapUsed')
    const [bytes] = (await once(server, 'message')) as [number]
    return bytes
  }
  const token = await signUserToken(id)
  const openStream = async () => {
    const stream = request(`${serverUrl}/trpc/orders.onChange`, {
      agent: false,
      headers: { authorization: `Bearer ${token}` },
    }).end()
    onTestFinished(() => void stream.destroy())
    const [response] = await once(stream, 'response')
    await once(response, 'data')
  }
  for (let n = 0; n < 20; n++) await openStream()
  const before = await readHeapUsed()
  for (let n = 0; n < STREAMS; n += 50) await Promise.all(Array.from({ length: 50 }, openStream))
  const bytesPerStream = ((await readHeapUsed()) - before) / STREAMS
  expect(bytesPerStream).toBeGreaterThan(1_000)
  expect(bytesPerStream).toBeLessThan(BYTES_PER_STREAM_MAX)
})
