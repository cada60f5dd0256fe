import { appRouter } from '@pointwise/server'
import { expect, test } from 'vitest'
import { MUTATIONS } from './calls.ts'
import { describeFaultsOfStatements } from './statement-faults.ts'

test('every procedure that writes is in the table', () => {
  const procedures = appRouter._def.procedures as unknown as Record<string, { _def: { type: string } }>
  const mutations = Object.keys(procedures).filter((path) => procedures[path]?._def.type === 'mutation')
  expect(MUTATIONS.map(({ path }) => path).toSorted()).toEqual(mutations.toSorted())
})

describeFaultsOfStatements([
  { name: 'a deadlock (1213)', fault: { errno: 1213 }, kind: 'rolled back' },
  { name: 'a lock wait that took too long (1205)', fault: { errno: 1205 }, kind: 'rolled back' },
  { name: 'a row that changed since it was read (1020)', fault: { errno: 1020 }, kind: 'rolled back' },
  { name: 'too many connections (1040)', fault: { errno: 1040 }, kind: 'transient' },
  { name: 'a broken CHECK of MySQL (3819)', fault: { errno: 3819 }, kind: 'broken' },
  { name: 'a broken CHECK of MariaDB (4025)', fault: { errno: 4025 }, kind: 'broken' },
  { name: 'a connection that is lost before it (2013)', fault: 'disconnect before', kind: 'transient' },
  { name: 'a connection that is lost after it (2013)', fault: 'disconnect after', kind: 'transient' },
])
