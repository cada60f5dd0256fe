import { createParser } from 'eventsource-parser'
import { ConnectionError } from './response.ts'

/** A server-sent event. */
export interface ServerEvent {
  /** The event type; `message` if the server sent none. */
  event: string
  data: string
  id: string | undefined
}

/**
 * Yields the server-sent events of a response body until the server ends it. An event whose blank line has not arrived by
 * then is discarded, as the specification demands.
 *
 * @param silenceMaxMs called before each read: how long the server may send nothing, in milliseconds
 * @throws ConnectionError if the connection is lost, or nothing arrives for `silenceMaxMs()` milliseconds
 */
export async function* readEvents(
  body: ReadableStream<Uint8Array>,
  silenceMaxMs: () => number,
): AsyncGenerator<ServerEvent, void> {
  const events: ServerEvent[] = []
  const parser = createParser({ onEvent: ({ event = 'message', data, id }) => events.push({ event, data, id }) })
  const decoder = new TextDecoder()
  const endLines = lineEnder()
  const reader = body.getReader()
  try {
    for (;;) {
      const chunk = await readWithin(silenceMaxMs(), reader)
      if (chunk.done) return
      parser.feed(endLines(decoder.decode(chunk.value, { stream: true })))
      yield* events.splice(0)
    }
  } finally {
    reader.cancel().catch(() => undefined)
  }
}

/**
 * The parser holds back a CR that ends a chunk, because a LF may follow, and with it the event that this CR may complete.
 * The returned function adds the LF at once, and removes it from the next chunk if it follows.
 */
function lineEnder(): (chunk: string) => string {
  let endedWithCr = false
  return (chunk) => {
    if (chunk === '') return chunk
    const text = endedWithCr && chunk.startsWith('\n') ? chunk.slice(1) : chunk
    endedWithCr = chunk.endsWith('\r')
    return endedWithCr ? `${text}\n` : text
  }
}

async function readWithin<T>(ms: number, reader: ReadableStreamDefaultReader<T>) {
  let timer: ReturnType<typeof setTimeout> | undefined
  try {
    return await Promise.race([
      reader.read().catch((cause: unknown) => {
        throw new ConnectionError('The connection to the server was lost while events were being read.', { cause })
      }),
      new Promise<never>((_, reject) => {
        timer = setTimeout(
          () => reject(new ConnectionError(`The server sent nothing for ${ms} ms; the connection is considered lost.`)),
          ms,
        )
      }),
    ])
  } finally {
    clearTimeout(timer)
  }
}
