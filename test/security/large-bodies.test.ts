import { execFileSync } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { JWT_SECRET } from '../setup/configuration.ts'
import { databaseUrl } from '../setup/database.ts'
import { ServerProcess } from '../setup/server-process.ts'
import { openSocket } from '../setup/sockets.ts'
import { send } from '../setup/trpc-wire.ts'

const BODY_BYTES = 200 * 1_024 * 1_024
const GROWTH_MAX_MB = 60
const PIECE = Buffer.alloc(1_024 * 1_024, 'x')
const CHUNK = Buffer.concat([Buffer.from(`${PIECE.length.toString(16)}\r\n`), PIECE, Buffer.from('\r\n')])

let server: ServerProcess
let url: string
beforeAll(async () => {
  server = new ServerProcess({
    DATABASE_URL: databaseUrl('bodies'),
    JWT_SECRET,
    PORT: '0',
  })
  url = await server.url()
  for (let n = 0; n < 50; n++) await send({ url }, '/trpc/points.charge', { method: 'POST', body: 'x' })
})
afterAll(() => server[Symbol.asyncDispose]())

/** The peak memory of the server, or its current memory where the system does not report the peak. */
function memoryMb(): number {
  const { pid } = server.child
  const path = `/proc/${pid}/status`
  if (existsSync(path)) return Number(/VmHWM:\s+(\d+)/.exec(readFileSync(path, 'utf8'))?.[1]) / 1_024
  return Number(execFileSync('ps', ['-o', 'rss=', '-p', String(pid)], { encoding: 'utf8' })) / 1_024
}

test.each([
  ['a form', 'multipart/form-data; boundary=x', 'content-length', 415],
  ['a form of unknown length', 'multipart/form-data; boundary=x', 'chunked', 415],
  ['bytes', 'application/octet-stream', 'content-length', 415],
  ['bytes of unknown length', 'application/octet-stream', 'chunked', 415],
  ['JSON', 'application/json', 'content-length', 413],
  ['JSON of unknown length', 'application/json', 'chunked', 413],
  ['JSON, and a batch', 'application/json', 'chunked', 413],
])('a body of 200 MB is cut off and not buffered: %s', async (what, type, length, status) => {
  const before = memoryMb()
  const { socket, read, closed } = await openSocket({ url })
  const path = what.includes('batch') ? 'points.charge,points.charge?batch=1' : 'points.charge'
  const framing = length === 'chunked' ? 'transfer-encoding: chunked' : `content-length: ${BODY_BYTES}`
  socket.write(`POST /trpc/${path} HTTP/1.1\r\nhost: shop\r\ncontent-type: ${type}\r\n${framing}\r\n\r\n`)
  for (let sent = 0; sent < BODY_BYTES && socket.writable; sent += PIECE.length) {
    const isTaken = socket.write(length === 'chunked' ? CHUNK : PIECE)
    if (!isTaken) await Promise.race([new Promise((done) => socket.once('drain', done)), closed])
  }
  // The connection is closed while the client is sending, so that the response may be lost.
  await closed
  expect(read()).toMatch(new RegExp(`^(HTTP/1\\.1 ${status} |$)`))
  expect(memoryMb() - before).toBeLessThan(GROWTH_MAX_MB)
  expect(await send({ url }, '/livez')).toMatchObject({ status: 200 })
})
