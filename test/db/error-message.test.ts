import { connect as connectSocket } from 'node:net'
import { errorMessage } from '@pointwise/db'
import { createLogger } from '@pointwise/server'
import { expect, test } from 'vitest'

/** The error of a connection to a host with two addresses, none of which accepts connections. */
async function unreachable(): Promise<Error> {
  const socket = connectSocket({
    host: 'database.example',
    port: 1,
    autoSelectFamily: true,
    lookup: (_host, _options, callback) =>
      callback(null, [
        { address: '::1', family: 6 },
        { address: '127.0.0.1', family: 4 },
      ]),
  })
  return new Promise((resolve) => socket.once('error', resolve))
}

test('the message for a host with several addresses names each address and why it was not reached', async () => {
  const error = await unreachable()
  expect(error).toBeInstanceOf(AggregateError)
  expect(error.message).toBe('')
  expect(errorMessage(error)).toMatch(/^connect E\w+ ::1:1\b.*; connect ECONNREFUSED 127\.0\.0\.1:1$/)
})

test('the log contains the same message, also for the cause of an error', async () => {
  const error = await unreachable()
  const lines: string[] = []
  createLogger('info', { write: (line) => void lines.push(line) }).error({ err: new Error('busy', { cause: error }) })
  expect(JSON.parse(lines[0] ?? '').err.cause.message).toBe(errorMessage(error))
})

test('other messages are unchanged', () => {
  expect(errorMessage(new Error('no'))).toBe('no')
  expect(errorMessage(new AggregateError([new Error('a')], 'both failed'))).toBe('both failed')
})
