import { describeFaultsOfStatements } from './statement-faults.ts'

describeFaultsOfStatements([{ name: 'an answer that never comes', fault: 'hang', kind: 'transient' }], {
  statementTimeoutMs: 400,
})
