// Runs in a folder where only the package is installed: node event-consumer.mjs <messages as JSON>
import { EventDeduplicator, EventParseError, parseEvent } from '@pointwise/client-sdk/events'

const deduplicator = new EventDeduplicator()
const handled = []
const rejected = []
for (const message of JSON.parse(process.argv[2])) {
  try {
    await deduplicator.handleOnce(parseEvent(message), (event) => handled.push(event))
  } catch (error) {
    if (!(error instanceof EventParseError)) throw error
    rejected.push(error.code)
  }
}

process.stdout.write(JSON.stringify({ handled, lastId: deduplicator.lastId, rejected }))
