import { describeFaultsOfStatements } from './statement-faults.ts'

describeFaultsOfStatements([{ name: 'a response that never arrives', fault: 'hang', kind: 'transient' }], {
  statementTimeoutMs: 400,
})
