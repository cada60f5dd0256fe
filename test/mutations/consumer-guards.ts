import { type Guard, guardsIn } from './guard.ts'

const deduplicator = guardsIn('client-sdk/src/event-deduplicator.ts')
const parser = guardsIn('client-sdk/src/parse-event.ts')
const headers = guardsIn('client-sdk/src/event-headers.ts')
const payloads = guardsIn('client-sdk/src/payload-schema.ts')

/** What the SDK does for consumers of events. */
export const CONSUMER_GUARDS: Guard[] = [
  deduplicator(
    'repeated events are not handled again',
    'if (id <= this.#lastId) return false',
    '',
    'client-sdk/event-deduplicator',
  ),
  deduplicator(
    'no event is handled before an earlier one that failed',
    'if (this.#failedId !== undefined && id > this.#failedId) {',
    'if (false) {',
    'client-sdk/event-deduplicator',
  ),
  deduplicator(
    'events are handled one after the other',
    'if (this.#handledId !== undefined) {',
    'if (false) {',
    'client-sdk/event-deduplicator',
  ),
  deduplicator(
    'a deduplicator waits for its handler',
    'await handler(event)',
    'handler(event)',
    'client-sdk/event-deduplicator',
  ),
  headers('check of the source of an event', "text === '/pointwise'", 'true', 'client-sdk/parse-event'),
  headers('check that an id is a safe integer', 'Number.isSafeInteger(Number(text))', 'true', 'client-sdk/parse-event'),
  parser('check of the key of an event', 'if (text !== expected) {', 'if (false) {', 'client-sdk/parse-event'),
  parser(
    'check of the subject of an event',
    "if (this.#header('ce_subject') === expected) return expected",
    'return expected',
    'client-sdk/parse-event',
  ),
  parser(
    'check that a header has one value',
    'others.length === 0 && isValid(text)',
    'isValid(text)',
    'client-sdk/parse-event',
  ),
  parser(
    'check that the type is not a property of every object',
    'Object.hasOwn(EVENT_SCHEMAS, type)',
    'type in EVENT_SCHEMAS',
    'client-sdk/parse-event',
  ),
  payloads(
    'check that no field of a payload is missing',
    'given.has(name) || required.includes(name)',
    'given.has(name)',
    'client-sdk/event-payload',
  ),
  payloads('check of integers', 'Number.isSafeInteger(value) && ', '', 'client-sdk/event-payload'),
]
