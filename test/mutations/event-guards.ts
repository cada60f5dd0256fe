import { type Guard, guardsIn } from './guard.ts'

/** What the documents and the contract state about events. */
export const EVENT_GUARDS: Guard[] = [
  guardsIn('server/src/asyncapi/asyncapi-document.ts')(
    'one type of event for each description of headers',
    'ce_type: { ...ce_type, const: type }',
    'ce_type: { ...ce_type }',
    'asyncapi/asyncapi-document',
  ),
  guardsIn('server/src/asyncapi/describe-events.ts')(
    'the key of an event in the contract and the documents',
    'topicsOf(fieldNames(schema.shape) as unknown as EventSubject)[0]',
    "'user:{userId}'",
    'client-sdk/event-changes',
    'asyncapi/asyncapi-document',
  ),
  guardsIn('server/src/openapi/contract.ts')(
    'comparison of the keys of events',
    'eventDescriptions.map(({ type, key, payload }) => [type, { key, payload }])',
    "eventDescriptions.map(({ type, payload }) => [type, { key: '', payload }])",
    'client-sdk/event-changes',
  ),
]
