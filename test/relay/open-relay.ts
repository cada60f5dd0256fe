import { execFile } from 'node:child_process'
import { join } from 'node:path'
import type { Pool } from '@pointwise/db'
import { onTestFinished } from 'vitest'
import { cursorOf } from '../../server/src/outbox/cursor-names.ts'
import { createRelay } from '../../server/src/relay/create-relay.ts'
import type { Shop } from '../setup/shop.ts'
import type { KafkaCluster } from './kafka-cluster.ts'
import { readCursor } from './outbox-rows.ts'
import { TopicReader } from './topic-reader.ts'

const ROOT = join(import.meta.dirname, '../..')

let topics = 0

/** The name of a topic that no other test uses. */
export const newTopic = () => `events-${process.pid}-${topics++}`

interface LogLine {
  level: string
  message: string
  id?: number | undefined
}

export interface TestRelay extends ReturnType<typeof createRelay> {
  log: LogLine[]
}

/** A relay of this process, until the test has finished. */
export function openRelay(kafka: KafkaCluster, { databaseUrl }: Shop, topic: string): TestRelay {
  const log: LogLine[] = []
  const write = (level: string) => (details: { id?: number }, message: string) =>
    void log.push({ level, message, id: details.id })
  const logger = { info: write('info'), warn: write('warn'), error: write('error') }
  const opened = createRelay({ databaseUrl, kafka: { brokers: kafka.brokers, topic, retentionDays: 0 }, logger })
  onTestFinished(opened.close)
  return { ...opened, log }
}

/** A reader of a topic from its beginning, until the test has finished. */
export async function openReader(kafka: KafkaCluster, topic: string): Promise<TopicReader> {
  const reader = await TopicReader.open(kafka.brokers, topic)
  onTestFinished(() => reader[Symbol.asyncDispose]())
  return reader
}

/** The position of a topic's cursor. */
export const positionOf = async (db: Pool, topic: string) => (await readCursor(db, cursorOf(topic)))?.position

/** Runs the command behind `npm run relay`. */
export function runCommand(kafka: KafkaCluster, { databaseUrl }: Shop, topic: string, ...args: string[]) {
  const { PATH } = process.env
  const env = { PATH, DATABASE_URL: databaseUrl, KAFKA_BROKERS: kafka.brokers.join(','), KAFKA_TOPIC: topic }
  return new Promise<{ code: unknown; stderr: string }>((resolve) => {
    execFile(process.execPath, ['server/scripts/relay.ts', ...args], { cwd: ROOT, env }, (error, _stdout, stderr) =>
      resolve({ code: error ? error.code : 0, stderr }),
    )
  })
}
