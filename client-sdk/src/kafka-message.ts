/** The value of a header: text, UTF-8 bytes, or an array of these for a header that occurs several times. */
export type HeaderValue = string | Uint8Array | readonly (string | Uint8Array)[] | null | undefined

/**
 * A message as a Kafka client delivers it. `@platformatic/kafka` delivers the headers as a `Map`, kafkajs as an object. Keys,
 * values and headers are text or UTF-8 bytes.
 */
export interface KafkaMessage {
  readonly key?: string | Uint8Array | null | undefined
  readonly value: string | Uint8Array | null | undefined
  readonly headers?:
    | Iterable<readonly [name: string | Uint8Array, value: HeaderValue]>
    | { readonly [name: string]: HeaderValue }
    | undefined
}

/**
 * Decodes text that may be given as UTF-8 bytes. Returns undefined for invalid UTF-8 and for a value that is neither text nor
 * bytes.
 */
export function decodeText(value: unknown): string | undefined {
  if (typeof value === 'string') return value
  // The bytes may be an instance of another realm's Uint8Array, for example in a test runner.
  if (!ArrayBuffer.isView(value)) return undefined
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(value)
  } catch {
    return undefined
  }
}

/**
 * Returns the values of each header, by name. A header may have several values, because Kafka does not require that names are
 * unique.
 */
export function readHeaders(headers: KafkaMessage['headers']): Map<string, unknown[]> {
  const read = new Map<string, unknown[]>()
  for (const [key, value] of entriesOf(headers)) {
    const name = decodeText(key)
    if (name === undefined || value === undefined || value === null) continue
    read.set(name, (read.get(name) ?? []).concat(value))
  }
  return read
}

function entriesOf(headers: unknown): (readonly [name: unknown, value: unknown])[] {
  if (typeof headers !== 'object' || headers === null) return []
  if (!(Symbol.iterator in headers)) return Object.entries(headers)
  return [...(headers as Iterable<unknown>)].filter((entry): entry is [unknown, unknown] => Array.isArray(entry))
}
