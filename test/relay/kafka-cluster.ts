import { execFile } from 'node:child_process'
import { randomUUID } from 'node:crypto'
import { promisify } from 'node:util'
import { freePort } from '../setup/free-port.ts'
import { missingEngine } from '../setup/missing-engine.ts'

/**
 * A program that runs Apache Kafka: `start PORT NAME NODES` starts brokers on PORT and the ports after it and prints
 * `host:port` of each, `kill NAME NODE` kills one, `up NAME NODE` starts it again, `reset NAME` removes all. The command line of a
 * node contains `NAME/node-NODE`.
 */
const { KAFKA_ENGINE: engine } = process.env

/** Why the tests that need Kafka are skipped; undefined if they are not. */
export const kafkaIsMissing: string | undefined = missingEngine('KAFKA_ENGINE', 'Apache Kafka')

export interface KafkaCluster extends AsyncDisposable {
  brokers: string[]
  /** Ends a node at once. Nodes are numbered from 1. */
  kill: (node: number) => Promise<void>
  /** Starts a node that was killed, and resolves when it serves. */
  restart: (node: number) => Promise<void>
  /** Stops the process of a node, which keeps its connections and answers nothing. */
  suspend: (node: number) => Promise<void>
  /** Lets a suspended node continue. */
  resume: (node: number) => Promise<void>
}

const runFile = promisify(execFile)
/** The program waits 30 seconds for a broker. On a slow machine a broker takes longer, and a repeated command waits again. */
const ATTEMPTS = 8

/** Repeats a command that continues where it was. */
async function persist<T>(command: () => Promise<T>): Promise<T> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await command()
    } catch (error) {
      if (attempt === ATTEMPTS) throw error
    }
  }
}

/** Starts a cluster of Kafka whose data is removed at the end. */
export async function startKafka({ nodes = 1 } = {}): Promise<KafkaCluster> {
  if (!engine) throw new Error(kafkaIsMissing)
  const name = `pointwise-${randomUUID().slice(0, 8)}`
  const run = async (...args: string[]) => (await runFile(engine, args)).stdout.trim()
  const signal = async (signal: 'STOP' | 'CONT', node: number | '') => {
    await runFile('pkill', [`-${signal}`, '-f', `${name}/node-${node}`])
  }
  const reset = async () => {
    // A suspended node does not end. No node is left after a failure to start.
    await signal('CONT', '').catch(() => undefined)
    await run('reset', name)
  }
  try {
    // Nodes and their controllers need the 103 ports above it.
    const port = await freePort(103)
    // Colour codes of the log may precede the list.
    const output = await persist(() => run('start', String(port), name, String(nodes)))
    const brokers = output.match(/[\w.-]+:\d+/g) ?? []
    return {
      brokers,
      kill: (node) => run('kill', name, String(node)).then(() => undefined),
      restart: (node) => persist(() => run('up', name, String(node))).then(() => undefined),
      suspend: (node) => signal('STOP', node),
      resume: (node) => signal('CONT', node),
      [Symbol.asyncDispose]: reset,
    }
  } catch (error) {
    await reset()
    throw error
  }
}

/** Runs a Java program with the clients of Apache Kafka, and returns what it writes to the standard output. */
export async function runJava(file: string, args: string[]): Promise<string> {
  if (!engine) throw new Error(kafkaIsMissing)
  const jars = (await runFile(engine, ['root'])).stdout.trim()
  return (await runFile('java', ['-cp', `${jars}/*`, file, ...args], { maxBuffer: 2 ** 28 })).stdout
}
