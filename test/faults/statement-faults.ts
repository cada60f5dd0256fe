import type { ConnectOptions } from '@pointwise/db'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { Fault } from '../setup/fault-proxy.ts'
import { post } from '../setup/raw.ts'
import { inWords } from '../setup/statement-words.ts'
import { expectIdlePool, type FaultyShop, fingerprint, openFaultyShop } from './faulty-shop.ts'
import { MUTATIONS, type Mutation, type Stocked, stocked } from './mutations.ts'

/** With one connection, the next call finds out what the last one left of it. */
const CONNECTIONS = 1

type Phase = 'before' | 'inside' | 'commit'
type Outcome = 'done' | 'busy' | 'fault' | 'unknown'

/** What a call answers when a statement of this phase fails once. Only at COMMIT may the outcome be unknown. */
const EXPECTED: Record<'transient' | 'broken' | 'rolled back', Record<Phase, Outcome>> = {
  // Before COMMIT a fresh transaction heals it; a read that stands alone is not repeated.
  transient: { before: 'busy', inside: 'done', commit: 'unknown' },
  'rolled back': { before: 'busy', inside: 'done', commit: 'done' },
  broken: { before: 'fault', inside: 'fault', commit: 'unknown' },
}

export interface NamedFault {
  name: string
  fault: Fault
  kind: keyof typeof EXPECTED
}

/** Tests that each statement of each mutation meets these faults once. */
export function describeFaultsOfStatements(faults: NamedFault[], database: ConnectOptions = {}): void {
  let faulty: FaultyShop
  let given: Stocked
  beforeAll(async () => {
    faulty = await openFaultyShop({ database: { ...database, connections: CONNECTIONS } })
    given = await stocked(faulty.shop)
  })
  afterAll(() => faulty[Symbol.asyncDispose]())

  describe.each(MUTATIONS)('$path', (mutation) => {
    test.each(faults)('each statement meets $name once', async ({ fault, kind }) => {
      const told: string[] = []
      const right: string[] = []
      const steps = await stepsOf(mutation, faulty, given)
      for (const [index, { words, phase, isTogether }] of steps.entries()) {
        if (isTogether && typeof fault === 'string') continue
        const input = await mutation.given(given)
        const before = await fingerprint(faulty.direct)
        const struck = faulty.proxy.plant(fault, index)
        const outcome = await call(mutation, given, input)
        const isChanged = (await fingerprint(faulty.direct)) !== before
        faulty.proxy.clear()
        expect(struck()).toBe(1)
        told.push(`${words}: ${inFull(outcome, isChanged)}`)
        const is = EXPECTED[kind][phase]
        const found = is === 'unknown' && mutation.readsBack ? 'done' : is
        right.push(`${words}: ${inFull(found, found === 'done')}`)
        if (outcome === 'busy' || outcome === 'fault') expect(await call(mutation, given, input)).toBe('done')
      }
      expect(told).toEqual(right)
      expect(steps.map(({ phase }) => phase)).toContain('commit')
      await expectIdlePool(faulty, CONNECTIONS)
    })
  })
}

/** Of an unknown outcome the books tell nothing. */
function inFull(outcome: Outcome, isChanged: boolean): string {
  return outcome === 'unknown' ? outcome : `${outcome}, ${isChanged ? 'changed' : 'unchanged'}`
}

async function call({ path, by }: Mutation, { shop, user, admin }: Stocked, input: object): Promise<Outcome> {
  const { status, text, refusal } = await post(shop, path, { input, token: by === 'user' ? user.token : admin })
  if (status === 200) return 'done'
  if (status === 503 && (refusal as { code: string }).code === 'service_busy') return 'busy'
  expect({ status, refusal, text }).toEqual({ status: 500, refusal: null, text: expect.not.stringMatching(/planted/) })
  return JSON.parse(text).error.json.data.outcome === 'unknown' ? 'unknown' : 'fault'
}

interface Step {
  words: string
  phase: Phase
  /** Whether it travels with the statement before it, as whose part a fault of the connection befalls it. */
  isTogether: boolean
}

/** The statements that a mutation sends, in order. */
async function stepsOf(mutation: Mutation, { proxy }: FaultyShop, given: Stocked): Promise<Step[]> {
  const input = await mutation.given(given)
  proxy.queries.length = 0
  expect(await call(mutation, given, input)).toBe('done')
  const sent = proxy.queries.flatMap((statements) =>
    statements.map((statement, index) => ({ statement, isTogether: index > 0 })),
  )
  const begin = sent.findIndex(({ statement }) => statement === 'begin')
  return sent.map(({ statement, isTogether }, index) => ({
    words: /^(begin|commit)$/.test(statement) ? statement : inWords(statement),
    phase: statement === 'commit' ? 'commit' : index < begin ? 'before' : 'inside',
    isTogether,
  }))
}
