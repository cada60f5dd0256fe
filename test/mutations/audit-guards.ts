import { type Guard, guardsIn } from './guard.ts'

const value = guardsIn('server/src/audit/replay/running-value.ts')
const decode = guardsIn('server/src/outbox/decode-event.ts')
const compare = guardsIn('server/src/audit/checks/compare-event.ts')
const states = guardsIn('server/src/audit/checks/check-states.ts')
const events = guardsIn('server/src/audit/checks/check-events.ts')
const offers = guardsIn('server/src/audit/replay/replay-state.ts')

export const AUDIT_GUARDS: Guard[] = [
  guardsIn('server/scripts/audit.ts')(
    'the command reads the replica',
    'replicaUrl === undefined ? await auditPool(db)',
    'replicaUrl !== null ? await auditPool(db)',
    'audit/command.long',
  ),
  value(
    'audit of each balance and stock that an event states',
    'return isCorrect ? undefined : expected',
    'return undefined',
    'audit/planted',
  ),
  value(
    'audit of the last balance and stock',
    'return row === this.#sum || row === this.#stated ? undefined : this.#sum',
    'return undefined',
    'audit/planted',
  ),
  decode('audit of the key of an event', 'if (key !== expectedKey)', 'if (false)', 'audit/planted'),
  compare('audit of the items of an event', 'lines[index]?.quantity === quantity', 'true', 'audit/planted'),
  states('audit of the last price and name', 'if (offer && (', 'if (false && offer && (', 'audit/planted'),
  events(
    'audit of repeated events',
    'if (!subjects.add(subject)) {',
    'subjects.add(subject)\n  if (false) {',
    'audit/planted',
  ),
  offers(
    'audit of the offers of order lines',
    'if (!this.offer && !this.isRemoved) return true',
    'return true',
    'audit/planted',
  ),
]
