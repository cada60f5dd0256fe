import { setTimeout as delay } from 'node:timers/promises'
import {
  Admin,
  compatibilityPartitioner,
  findErrorBy,
  Producer,
  type ProducerOptions,
  stringSerializers,
} from '@platformatic/kafka'
import { type KafkaMessage, kafkaMessageOf, type RelayEvent } from './kafka-message.ts'

/** The topic of the events, and where its cluster is. */
export interface KafkaConfig {
  /** `host:port` of brokers from which the cluster is discovered. */
  brokers: string[]
  topic: string
}

const PARTITIONS = 6
const REPLICAS_MAX = 3
const CONNECT_TIMEOUT_MS = 3_000
/** How long the broker waits for its replicas. */
const REPLICATION_TIMEOUT_MS = 5_000
const REQUEST_TIMEOUT_MS = 6_000
/** The longest time of one call, with the attempts of the client. */
const PUBLISH_TIMEOUT_MS = 10_000
const CLOSE_TIMEOUT_MS = 1_000
/** The client repeats a request with the same sequence numbers, so that a lost acknowledgement stores nothing twice. */
const CLIENT_RETRIES = 2
const CLIENT_RETRY_DELAY_MS = 200

/** The cluster refuses an event or a batch for what it is: it would refuse it again. */
export class RejectedByBrokerError extends Error {
  override readonly name = 'RejectedByBrokerError'
}

/** The codes of the Kafka protocol by which a broker rejects records for their size or their content. */
const REJECTIONS = ['MESSAGE_TOO_LARGE', 'RECORD_LIST_TOO_LARGE', 'INVALID_RECORD']

const clientOptions = ({ brokers }: KafkaConfig) => ({
  clientId: 'pointwise-relay',
  bootstrapBrokers: brokers,
  connectTimeout: CONNECT_TIMEOUT_MS,
  requestTimeout: REQUEST_TIMEOUT_MS,
  timeout: REPLICATION_TIMEOUT_MS,
  retries: CLIENT_RETRIES,
  retryDelay: CLIENT_RETRY_DELAY_MS,
})

/**
 * Publishes events to a topic, one batch at a time. After a failure it opens a new producer, because the sequence numbers of
 * the failed one are unknown.
 */
export class KafkaPublisher {
  readonly #config: KafkaConfig
  #producer: Producer<string, string, string, string> | undefined
  #interruption = Promise.withResolvers<never>()

  constructor(config: KafkaConfig) {
    this.#config = config
    this.#interruption.promise.catch(() => undefined)
  }

  /**
   * Publishes events in their order. Resolves when every in-sync replica has stored all of them. After a rejection, some of
   * them may have been stored.
   *
   * @throws RejectedByBrokerError if the cluster refuses an event or the size of the batch
   * @throws Error if the cluster cannot be reached or does not acknowledge in time
   */
  async publish(events: readonly RelayEvent[]): Promise<void> {
    const { topic } = this.#config
    const attempt = new AbortController()
    try {
      const messages = events.map((event) => ({ topic, ...kafkaMessageOf(event) }))
      const sent = this.#send(messages, attempt.signal)
      await Promise.race([withTimeout(PUBLISH_TIMEOUT_MS, sent), this.#interruption.promise])
    } catch (error) {
      attempt.abort()
      await this.close()
      const rejection = REJECTIONS.find((code) => findErrorBy(error as Error, 'apiId', code))
      throw rejection ? new RejectedByBrokerError(`The broker answers ${rejection}.`, { cause: error }) : error
    }
  }

  /** Lets the calls of `publish` that are in progress, and later ones, reject. */
  interrupt(): void {
    this.#interruption.reject(new Error('The relay is stopping.'))
  }

  async close(): Promise<void> {
    const producer = this.#producer
    this.#producer = undefined
    // Closing waits for the brokers, which may not answer.
    if (producer)
      await Promise.race([producer.close(true), delay(CLOSE_TIMEOUT_MS, undefined, { ref: false })]).catch(
        () => undefined,
      )
  }

  /** Sends nothing after `attempt` was aborted. */
  async #send(messages: (KafkaMessage & { topic: string })[], attempt: AbortSignal): Promise<void> {
    if (!this.#producer) {
      await createTopic(this.#config)
      attempt.throwIfAborted()
      this.#producer = this.#open()
    }
    await this.#producer.send({ messages })
  }

  #open(): Producer<string, string, string, string> {
    const options: ProducerOptions<string, string, string, string> = {
      ...clientOptions(this.#config),
      serializers: { ...stringSerializers, headerKey: serializeHeaderName },
      idempotent: true,
      acks: -1,
      autocreateTopics: false,
      // The partition that Kafka's Java clients choose for the same key.
      partitioner: compatibilityPartitioner,
    }
    return new Producer(options)
  }
}

const headerNames = new Map<string, Buffer>()

/** Serializes the name of a header. The names are the same for each event, so their bytes are cached. */
function serializeHeaderName(name = ''): Buffer {
  const bytes = headerNames.get(name) ?? Buffer.from(name)
  headerNames.set(name, bytes)
  return bytes
}

/** The answers to the creation of a topic after which it may exist. If it does not, the producer reports that. */
const MAY_EXIST = ['TOPIC_ALREADY_EXISTS', 'TOPIC_AUTHORIZATION_FAILED', 'CLUSTER_AUTHORIZATION_FAILED']

/** Creates the topic unless it exists, or the account of the relay may not create it. */
async function createTopic(config: KafkaConfig): Promise<void> {
  const { topic } = config
  const admin = new Admin(clientOptions(config))
  try {
    const topics = await admin.listTopics()
    if (topics.includes(topic)) return
    const { brokers } = await admin.metadata({ topics: [] })
    const replicas = Math.min(REPLICAS_MAX, brokers.size)
    await admin.createTopics({
      topics: [topic],
      partitions: PARTITIONS,
      replicas,
      configs: replicas === REPLICAS_MAX ? [{ name: 'min.insync.replicas', value: '2' }] : [],
    })
  } catch (error) {
    if (!MAY_EXIST.some((code) => findErrorBy(error as Error, 'apiId', code))) throw error
  } finally {
    await admin.close().catch(() => undefined)
  }
}

/** Rejects when `work` does not settle in time. */
async function withTimeout<T>(milliseconds: number, work: Promise<T>): Promise<T> {
  const timeout = Promise.withResolvers<never>()
  const timer = setTimeout(
    () => timeout.reject(new Error(`The cluster did not acknowledge within ${milliseconds} ms.`)),
    milliseconds,
  )
  try {
    return await Promise.race([work, timeout.promise])
  } finally {
    clearTimeout(timer)
  }
}
