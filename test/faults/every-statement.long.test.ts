import { appRouter } from '@pointwise/server'
import { expect, test } from 'vitest'
import { inSuite } from '../setup/suite.ts'
import { MUTATIONS } from './calls.ts'
import { describeFaultsOfStatements, type NamedFault } from './statement-faults.ts'

test('The table of calls contains every mutation', () => {
  const procedures = appRouter._def.procedures as unknown as Record<string, { _def: { type: string } }>
  const mutations = Object.keys(procedures).filter((path) => procedures[path]?._def.type === 'mutation')
  expect(MUTATIONS.map(({ path }) => path).toSorted()).toEqual(mutations.toSorted())
})

const FAULTS: NamedFault[] = [
  { name: 'a deadlock (1213)', fault: { errno: 1213 }, kind: 'rolled back' },
  { name: 'a connection lost after the statement (2013)', fault: 'disconnect after', kind: 'transient' },
  { name: 'a lock wait timeout (1205)', fault: { errno: 1205 }, kind: 'rolled back' },
  { name: 'a row that changed since it was read (1020)', fault: { errno: 1020 }, kind: 'rolled back' },
  { name: 'too many connections (1040)', fault: { errno: 1040 }, kind: 'transient' },
  { name: 'a violated CHECK of MySQL (3819)', fault: { errno: 3819 }, kind: 'broken' },
  { name: 'a violated CHECK of MariaDB (4025)', fault: { errno: 4025 }, kind: 'broken' },
  { name: 'a connection lost before the statement (2013)', fault: 'disconnect before', kind: 'transient' },
]

describeFaultsOfStatements(inSuite(FAULTS.slice(0, 1), FAULTS))
