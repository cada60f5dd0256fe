import { parseArgs } from 'node:util'
import { closeOnSignal } from '../src/close-on-signal.ts'
import { readRelayConfig } from '../src/config.ts'
import { describeError } from '../src/describe-error.ts'
import { openEmbeddedDatabase } from '../src/embedded/start.ts'
import { createLogger } from '../src/http/logging.ts'
import { createRelay } from '../src/relay/create-relay.ts'

const USAGE = `Usage: npm run relay                            publishes events until a signal arrives
       npm run relay -- --once                  publishes what is committed, and exits
       npm run relay -- --from ID [--to ID]     publishes events again that were published before, and exits`

const print = (line: string) => process.stderr.write(`${line}\n`)
const cleanups: (() => Promise<void>)[] = []

try {
  await run(readOptions())
} catch (error) {
  print(`relay: ${describeError(error)}`)
  await cleanUp()
  process.exitCode = 1
}

async function run({ once, from, to }: RelayCommand): Promise<void> {
  const config = readRelayConfig(process.env)
  const logger = createLogger('info')
  closeOnSignal(logger, { delayMs: () => 0, close: cleanUp })
  const database = config.mode === 'embedded' ? await openEmbeddedDatabase(config.databaseProvider, print) : undefined
  if (database) cleanups.push(database.stop)
  const databaseUrl = config.mode === 'standalone' ? config.databaseUrl : (database?.url ?? '')
  const { relay, close } = createRelay({ databaseUrl, kafka: config.kafka, logger })
  cleanups.push(close)
  if (!once && from === undefined) return relay.start()
  const published = from === undefined ? await relay.drain() : await relay.republish({ from, to })
  print(`Published ${published} events to ${config.kafka.topic}.`)
  await cleanUp()
}

interface RelayCommand {
  once: boolean
  from: number | undefined
  to: number | undefined
}

function readOptions(): RelayCommand {
  const { values } = parseArgs({
    options: { once: { type: 'boolean', default: false }, from: { type: 'string' }, to: { type: 'string' } },
  })
  const command = { once: values.once, from: eventId('from', values.from), to: eventId('to', values.to) }
  if (command.from === undefined ? command.to !== undefined : command.once) {
    throw new Error(`--once and --from exclude each other, and --to requires --from.\n${USAGE}`)
  }
  return command
}

function eventId(option: string, text: string | undefined): number | undefined {
  if (text === undefined) return undefined
  const id = Number(text)
  if (/^\d+$/.test(text) && Number.isSafeInteger(id) && id > 0) return id
  throw new Error(`--${option} must be the id of an event, such as 1; it is ${JSON.stringify(text)}.\n${USAGE}`)
}

async function cleanUp(): Promise<void> {
  for (const cleanup of cleanups.splice(0).toReversed()) await cleanup()
}
