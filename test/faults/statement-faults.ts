import type { ConnectOptions } from '@pointwise/db'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { Fault } from '../setup/fault-proxy.ts'
import { get, post } from '../setup/raw-http.ts'
import { describeStatement } from '../setup/statement-kinds.ts'
import { type Call, MUTATIONS, QUERIES, type Stocked, stocked } from './calls.ts'
import { expectIdlePool, type FaultyShop, fingerprint, openFaultyShop } from './faulty-shop.ts'

/** With one connection, the next call uses the connection that the last call left. */
const CONNECTIONS = 1

type Phase = 'alone' | 'inside' | 'commit'
type Outcome = 'done' | 'busy' | 'fault' | 'unknown'

/** The outcome of a call when a statement of this phase fails once. Only at COMMIT can the outcome be unknown. */
const EXPECTED: Record<'transient' | 'broken' | 'rolled back', Record<Phase, Outcome>> = {
  // Before COMMIT the call is retried in a new transaction. A read outside a transaction is not retried.
  transient: { alone: 'busy', inside: 'done', commit: 'unknown' },
  'rolled back': { alone: 'busy', inside: 'done', commit: 'done' },
  broken: { alone: 'fault', inside: 'fault', commit: 'unknown' },
}

export interface NamedFault {
  name: string
  fault: Fault
  kind: keyof typeof EXPECTED
}

/** Tests that each statement of each procedure meets these faults once. */
export function describeFaultsOfStatements(faults: NamedFault[], database: ConnectOptions = {}): void {
  let faulty: FaultyShop
  let given: Stocked
  beforeAll(async () => {
    faulty = await openFaultyShop({ database: { ...database, connections: CONNECTIONS } })
    given = await stocked(faulty.shop)
  })
  afterAll(() => faulty[Symbol.asyncDispose]())

  describe.each([...MUTATIONS, ...QUERIES])('$path', (procedure) => {
    test.each(faults)('each statement meets $name once', async ({ fault, kind }) => {
      const actual: string[] = []
      const expected: string[] = []
      const steps = await stepsOf(procedure, faulty, given)
      for (const [index, { description, phase, isBatched }] of steps.entries()) {
        if (isBatched && typeof fault === 'string') continue
        const input = await procedure.given(given)
        const before = await fingerprint(faulty.direct)
        const injected = faulty.proxy.inject(fault, nth(index))
        const outcome = await call(procedure, given, input)
        const isChanged = (await fingerprint(faulty.direct)) !== before
        faulty.proxy.clear()
        expect(injected()).toBe(1)
        actual.push(`${description}: ${describeOutcome(outcome, isChanged)}`)
        const outcomeOfPhase = EXPECTED[kind][phase]
        const final = outcomeOfPhase === 'unknown' && procedure.readsBack ? 'done' : outcomeOfPhase
        expected.push(`${description}: ${describeOutcome(final, final === 'done' && phase !== 'alone')}`)
        if (outcome === 'busy' || outcome === 'fault') expect(await call(procedure, given, input)).toBe('done')
      }
      expect(actual).toEqual(expected)
      expect(steps.at(-1)?.phase).toBe(procedure.isQuery ? 'alone' : 'commit')
      await expectIdlePool(faulty, CONNECTIONS)
    })
  })
}

/** Whether the caller exists is cached. The query may be sent at any time, when the cached value has expired. */
const CACHE_QUERY =
  /^select `id`, `name`, `created_at` as `createdAt` from `users` where `deleted_at` is null and `id` =/

/** The pool sends these when it opens a connection, and to end the session of one that was lost, which it does in the background. */
const POOL_STATEMENT = /^(commit and no chain|use |set names|set session|do get_lock|kill is_used_lock)/

const isOfCall = (statement: string) => !CACHE_QUERY.test(statement) && !POOL_STATEMENT.test(statement)

/** Matches the statement of a call before which `index` statements were sent. */
function nth(index: number): (statement: string) => boolean {
  let sent = 0
  return (statement) => isOfCall(statement) && sent++ === index
}

/** An unknown outcome is described without whether rows changed. */
function describeOutcome(outcome: Outcome, isChanged: boolean): string {
  return outcome === 'unknown' ? outcome : `${outcome}, ${isChanged ? 'changed' : 'unchanged'}`
}

async function call({ path, by, isQuery }: Call, { shop, user, admin }: Stocked, input: object): Promise<Outcome> {
  const { status, text, refusal } = await (isQuery ? get : post)(shop, path, {
    input,
    token: by === 'user' ? user.token : admin,
  })
  if (status === 200) return 'done'
  if (status === 503 && (refusal as { code: string }).code === 'service_busy') return 'busy'
  expect({ status, refusal, text }).toEqual({ status: 500, refusal: null, text: expect.not.stringMatching(/injected/) })
  return JSON.parse(text).error.json.data.outcome === 'unknown' ? 'unknown' : 'fault'
}

interface Step {
  description: string
  phase: Phase
  /** Whether it is sent in one message with the statement before it, so that a connection fault affects both. */
  isBatched: boolean
}

/** The statements that a call sends, in order. */
async function stepsOf(procedure: Call, { proxy }: FaultyShop, given: Stocked): Promise<Step[]> {
  const input = await procedure.given(given)
  proxy.queries.length = 0
  expect(await call(procedure, given, input)).toBe('done')
  const sent = proxy.queries.flatMap((statements) =>
    statements.filter(isOfCall).map((statement, index) => ({ statement, isBatched: index > 0 })),
  )
  const isInTransaction = sent.some(({ statement }) => statement === 'begin')
  return sent.map(({ statement, isBatched }) => ({
    description: /^(begin|commit)$/.test(statement) ? statement : describeStatement(statement),
    phase: statement === 'commit' ? 'commit' : isInTransaction ? 'inside' : 'alone',
    isBatched,
  }))
}
