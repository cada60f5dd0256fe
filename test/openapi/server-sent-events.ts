/** An event as the document describes it: `event` is `message` by default, and `data` is parsed JSON. */
export interface ServerSentEvent {
  event: string
  id?: string
  data: unknown
}

/** Yields the events of a response body as they arrive. Ending the iteration closes the connection. */
export async function* eventsIn(body: ReadableStream<Uint8Array> | null | undefined): AsyncGenerator<ServerSentEvent> {
  if (!body) return
  const decoder = new TextDecoder()
  let text = ''
  for await (const bytes of body as AsyncIterable<Uint8Array> & typeof body) {
    text += decoder.decode(bytes, { stream: true })
    const blocks = text.split('\n\n')
    text = blocks.pop() ?? ''
    for (const block of blocks) {
      const lines = block.split('\n').filter(Boolean)
      if (lines.length > 0) yield eventOf(lines)
    }
  }
}

function eventOf(lines: string[]): ServerSentEvent {
  const { event = 'message', data = '', ...rest } = Object.fromEntries(lines.map((line) => line.split(/: ?(.*)/, 2)))
  return { event, ...rest, data: data === '' ? '' : JSON.parse(data) }
}
