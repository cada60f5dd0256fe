import { fork } from 'node:child_process'
import { once } from 'node:events'
import { request } from 'node:http'
import { createCaller } from '@pointwise/server'
import { expect, onTestFinished, test } from 'vitest'
import { signUserToken } from '../setup/configuration.ts'
import { emptyDatabase } from '../setup/database.ts'

const STREAMS = 500
/** 100 MB for 2,000. */
const BYTES_EACH = 50_000

test(`an idle stream costs less than ${BYTES_EACH / 1_000} kB`, async () => {
  const { url, db } = await emptyDatabase()
  const { id } = await createCaller({ db, admin: true }).users.create({ name: 'Ada' })
  await db.destroy()
  const server = fork(new URL('./idle-streams-server.ts', import.meta.url), [url], { execArgv: ['--expose-gc'] })
  onTestFinished(() => void server.kill())
  const [address] = (await once(server, 'message')) as [string]
  const heap = async () => {
    server.send('how much?')
    const [bytes] = (await once(server, 'message')) as [number]
    return bytes
  }
  const token = await signUserToken(id)
  const open = async () => {
    const asked = request(`${address}/trpc/orders.onChange`, {
      agent: false,
      headers: { authorization: `Bearer ${token}` },
    }).end()
    onTestFinished(() => void asked.destroy())
    const [answer] = await once(asked, 'response')
    await once(answer, 'data')
  }
  for (let n = 0; n < 20; n++) await open()
  const before = await heap()
  for (let n = 0; n < STREAMS; n += 50) await Promise.all(Array.from({ length: 50 }, open))
  const each = ((await heap()) - before) / STREAMS
  expect(each).toBeGreaterThan(1_000)
  expect(each).toBeLessThan(BYTES_EACH)
})
