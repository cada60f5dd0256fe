import { ConnectionError } from './response.ts'

/** One of the server's events, as the format of server-sent events has it. */
export interface ServerEvent {
  /** What kind it is: `message` where nothing is said. */
  event: string
  data: string
  id: string | undefined
}

/**
 * Reads server-sent events until the server ends them.
 *
 * @throws NoAnswer when the connection is lost, or silent for longer than `silentMs` allows
 */
export async function* readEvents(
  body: ReadableStream<Uint8Array>,
  silentMs: () => number,
): AsyncGenerator<ServerEvent, void> {
  const reader = body.getReader()
  const decoder = new TextDecoder()
  let rest = ''
  try {
    for (;;) {
      const chunk = await within(silentMs(), reader.read())
      if (chunk.done) return
      const blocks = (rest + decoder.decode(chunk.value, { stream: true })).split('\n\n')
      rest = blocks.pop() ?? ''
      for (const block of blocks) {
        const event = parse(block)
        if (event) yield event
      }
    }
  } finally {
    reader.cancel().catch(() => undefined)
  }
}

/** What stands in the lines of one event; a comment is none. */
function parse(block: string): ServerEvent | undefined {
  const fields = new Map<string, string>()
  for (const line of block.split('\n')) {
    const [, name, value = ''] = /^(\w+): ?(.*)$/.exec(line) ?? []
    if (name) fields.set(name, value)
  }
  const data = fields.get('data')
  return data === undefined ? undefined : { event: fields.get('event') ?? 'message', data, id: fields.get('id') }
}

async function within<T>(ms: number, reading: Promise<T>): Promise<T> {
  let timer: ReturnType<typeof setTimeout> | undefined
  try {
    return await Promise.race([
      reading.catch((cause: unknown) => {
        throw new ConnectionError('The connection was lost.', { cause })
      }),
      new Promise<never>((_, reject) => {
        timer = setTimeout(() => reject(new ConnectionError(`Nothing came for ${ms} ms.`)), ms)
      }),
    ])
  } finally {
    clearTimeout(timer)
  }
}
