import { Consumer, MessagesStreamModes } from '@platformatic/kafka'
import { eventually } from '../setup/eventually.ts'

/** A record of the topic, with its headers as text. */
export interface TopicRecord {
  partition: number
  offset: bigint
  key: string
  value: string
  headers: Record<string, string>
  /** `ce_id`. */
  id: number
}

/** Reads a topic from its beginning, with the guarantees of a consumer group. */
export class TopicReader implements AsyncDisposable {
  readonly records: TopicRecord[] = []
  readonly #consumer: Consumer
  readonly #topic: string
  #closed: Promise<void> | undefined

  private constructor(consumer: Consumer, topic: string) {
    this.#consumer = consumer
    this.#topic = topic
  }

  static async open(brokers: string[], topic: string): Promise<TopicReader> {
    const consumer = new Consumer({
      clientId: 'topic-reader',
      groupId: `topic-reader-${process.pid}-${performance.now()}`,
      bootstrapBrokers: brokers,
      retries: true,
      retryDelay: 200,
    })
    const reader = new TopicReader(consumer, topic)
    const stream = await consumer.consume({
      topics: [topic],
      mode: MessagesStreamModes.EARLIEST,
      autocommit: false,
      maxWaitTime: 50,
    })
    stream.on('data', ({ partition, offset, key, value, headers }) => {
      const text = Object.fromEntries([...headers].map(([name, content]) => [String(name), String(content)]))
      const record = { partition, offset, key: String(key), value: String(value), headers: text }
      reader.records.push({ ...record, id: Number(text.ce_id) })
    })
    stream.on('error', () => undefined)
    return reader
  }

  /** Waits until every record has been read that the topic has now, and returns all records. */
  async readToEnd(): Promise<TopicRecord[]> {
    const ends = (await this.#consumer.listOffsets({ topics: [this.#topic] })).get(this.#topic) ?? []
    const unread = () => {
      const next = new Map(this.records.map(({ partition, offset }) => [partition, offset + 1n]))
      return ends.flatMap((end, partition) => ((next.get(partition) ?? 0n) < end ? [partition] : []))
    }
    await eventually(unread, { interval: 100 }).toEqual([])
    return this.records
  }

  [Symbol.asyncDispose](): Promise<void> {
    this.#closed ??= this.#consumer.close(true).then(() => undefined)
    return this.#closed
  }
}

/** The records of each partition, in the order of the partition. */
export const partitionsOf = (records: readonly TopicRecord[]): TopicRecord[][] => [
  ...Map.groupBy(records, ({ partition }) => partition).values(),
]

/** The ids of a partition without those that repeat an id which is not above all ids before. */
export function firstOccurrences(ids: readonly number[]): number[] {
  const seen = new Set<number>()
  return ids.filter((id) => !seen.has(id) && seen.add(id))
}
