import type { ConnectOptions } from '@pointwise/db'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { Fault } from '../setup/fault-proxy.ts'
import { get, post } from '../setup/raw-http.ts'
import { describeStatement } from '../setup/statement-kinds.ts'
import { type Call, MUTATIONS, QUERIES, type Stocked, stocked } from './calls.ts'
import { expectIdlePool, type FaultyShop, fingerprint, openFaultyShop } from './faulty-shop.ts'

/** With one connection, the next call finds out what the last one left of it. */
const CONNECTIONS = 1

type Phase = 'alone' | 'inside' | 'commit'
type Outcome = 'done' | 'busy' | 'fault' | 'unknown'

/** What a call answers when a statement of this phase fails once. Only at COMMIT may the outcome be unknown. */
const EXPECTED: Record<'transient' | 'broken' | 'rolled back', Record<Phase, Outcome>> = {
  // Before COMMIT a fresh transaction heals it; a read that stands alone is not repeated.
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
      const told: string[] = []
      const right: string[] = []
      const steps = await stepsOf(procedure, faulty, given)
      for (const [index, { words, phase, isTogether }] of steps.entries()) {
        if (isTogether && typeof fault === 'string') continue
        const input = await procedure.given(given)
        const before = await fingerprint(faulty.direct)
        const struck = faulty.proxy.inject(fault, nth(index))
        const outcome = await call(procedure, given, input)
        const isChanged = (await fingerprint(faulty.direct)) !== before
        faulty.proxy.clear()
        expect(struck()).toBe(1)
        told.push(`${words}: ${inFull(outcome, isChanged)}`)
        const is = EXPECTED[kind][phase]
        const found = is === 'unknown' && procedure.readsBack ? 'done' : is
        right.push(`${words}: ${inFull(found, found === 'done' && phase !== 'alone')}`)
        if (outcome === 'busy' || outcome === 'fault') expect(await call(procedure, given, input)).toBe('done')
      }
      expect(told).toEqual(right)
      expect(steps.at(-1)?.phase).toBe(procedure.isQuery ? 'alone' : 'commit')
      await expectIdlePool(faulty, CONNECTIONS)
    })
  })
}

/** Who the caller is, is remembered; it may be asked for again, aside, whenever its time is up. */
const ASIDE = /^select `id`, `name`, `created_at` as `createdAt` from `users` where `deleted_at` is null and `id` =/

/** Of the statements of a call, the one before which so many were sent. */
function nth(index: number): (statement: string) => boolean {
  let sent = 0
  return (statement) => !ASIDE.test(statement) && sent++ === index
}

/** Of an unknown outcome the books tell nothing. */
function inFull(outcome: Outcome, isChanged: boolean): string {
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
  words: string
  phase: Phase
  /** Whether it travels with the statement before it, as whose part a fault of the connection befalls it. */
  isTogether: boolean
}

/** The statements that a call sends, in order. */
async function stepsOf(procedure: Call, { proxy }: FaultyShop, given: Stocked): Promise<Step[]> {
  const input = await procedure.given(given)
  proxy.queries.length = 0
  expect(await call(procedure, given, input)).toBe('done')
  const sent = proxy.queries.flatMap((statements) =>
    statements
      .filter((statement) => !ASIDE.test(statement))
      .map((statement, index) => ({ statement, isTogether: index > 0 })),
  )
  const isInTransaction = sent.some(({ statement }) => statement === 'begin')
  return sent.map(({ statement, isTogether }) => ({
    words: /^(begin|commit)$/.test(statement) ? statement : describeStatement(statement),
    phase: statement === 'commit' ? 'commit' : isInTransaction ? 'inside' : 'alone',
    isTogether,
  }))
}
