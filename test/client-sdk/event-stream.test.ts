import { describe, expect, test } from 'vitest'
import { readEvents, type ServerEvent } from '../../client-sdk/src/event-stream.ts'

const SILENCE_MAX_MS = 30_000

const bytesOf = (text: string) => new TextEncoder().encode(text)

/** A response body that delivers the given chunks, then ends. */
function bodyOf(...chunks: Uint8Array[]): ReadableStream<Uint8Array> {
  return new ReadableStream({
    start(controller) {
      for (const chunk of chunks) controller.enqueue(chunk)
      controller.close()
    },
  })
}

async function parse(...chunks: (string | Uint8Array)[]): Promise<ServerEvent[]> {
  const bytes = chunks.map((chunk) => (typeof chunk === 'string' ? bytesOf(chunk) : chunk))
  const events: ServerEvent[] = []
  for await (const event of readEvents(bodyOf(...bytes), () => SILENCE_MAX_MS)) events.push(event)
  return events
}

const message = (data: string, id?: string) => ({ event: 'message', data, id })

describe.each([
  ['LF', '\n'],
  ['CRLF', '\r\n'],
  ['CR', '\r'],
])('a stream whose lines end with %s', (_name, lineEnd) => {
  const streamOf = (...lines: string[]) => lines.map((line) => line + lineEnd).join('')
  const stream = streamOf(
    ': comment',
    'event: ping',
    'data:',
    '',
    'id: 7',
    'data: caf\u00e9 \u2615',
    '',
    'data: last',
    '',
  )
  const events = [{ event: 'ping', data: '', id: undefined }, message('caf\u00e9 \u2615', '7'), message('last')]

  test('yields every event with its type, data and id', async () => {
    expect(await parse(stream)).toEqual(events)
  })

  test('yields the same events wherever it is divided into two chunks', async () => {
    const bytes = bytesOf(stream)
    for (let border = 1; border < bytes.length; border++) {
      expect(await parse(bytes.subarray(0, border), bytes.subarray(border)), `border at ${border}`).toEqual(events)
    }
  })

  test('yields the same events when each byte is a chunk', async () => {
    expect(await parse(...Array.from(bytesOf(stream), (byte) => Uint8Array.of(byte)))).toEqual(events)
  })

  test('joins the data lines of one event with line feeds', async () => {
    expect(await parse(streamOf('data: first', 'data:second', 'data', 'data:  third', ''))).toEqual([
      message('first\nsecond\n\n third'),
    ])
  })

  test('ignores comments, unknown fields, and blocks without data', async () => {
    const stream = streamOf(':', ': comment', '', 'colour: red', 'retry: 10', '', 'id: 1', '', 'data: 1', ': in', '')
    expect(await parse(stream)).toEqual([message('1')])
  })

  test('yields an event as soon as its blank line has arrived', async () => {
    const { readable, writable } = new TransformStream<Uint8Array>()
    const writer = writable.getWriter()
    const stream = readEvents(readable, () => SILENCE_MAX_MS)
    for (const data of ['1', '2']) {
      const written = writer.write(bytesOf(streamOf(`data: ${data}`, '')))
      expect(await stream.next()).toEqual({ done: false, value: message(data) })
      await written
    }
    await writer.close()
    expect(await stream.next()).toMatchObject({ done: true })
  })

  test('discards an event at its end that has no blank line', async () => {
    for (const incomplete of ['data: 2', `data: 2${lineEnd}`]) {
      expect(await parse(streamOf('data: 1', ''), incomplete)).toEqual([message('1')])
    }
  })
})

test('a stream may begin with a byte order mark', async () => {
  expect(await parse('\ufeffdata: 1\n\n')).toEqual([message('1')])
})

test('a stream that is silent for too long fails with ConnectionError and is cancelled', async () => {
  const cancelled = Promise.withResolvers<void>()
  const body = new ReadableStream<Uint8Array>({ cancel: () => cancelled.resolve() })
  await expect(readEvents(body, () => 5).next()).rejects.toMatchObject({ name: 'ConnectionError' })
  await cancelled.promise
})

test('a stream whose connection is lost yields the events before, then fails with ConnectionError', async () => {
  const lost = new Error('reset')
  let isFirst = true
  const body = new ReadableStream<Uint8Array>({
    pull(controller) {
      if (isFirst) controller.enqueue(bytesOf('data: 1\n\ndata: 2'))
      else controller.error(lost)
      isFirst = false
    },
  })
  const events = readEvents(body, () => SILENCE_MAX_MS)
  expect(await events.next()).toMatchObject({ value: message('1') })
  await expect(events.next()).rejects.toMatchObject({ name: 'ConnectionError', cause: lost })
})

test('leaving the loop cancels the stream', async () => {
  const cancelled = Promise.withResolvers<void>()
  const body = new ReadableStream<Uint8Array>({
    start: (controller) => controller.enqueue(bytesOf('data: 1\n\n')),
    cancel: () => cancelled.resolve(),
  })
  for await (const { data } of readEvents(body, () => SILENCE_MAX_MS)) {
    expect(data).toBe('1')
    break
  }
  await cancelled.promise
})
