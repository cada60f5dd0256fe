import { setImmediate } from 'node:timers/promises'
import type { SettlementRequest } from '../../server/src/payments/settlement/decide.ts'
import { type Result, settleBatch } from '../../server/src/payments/settlement/settle-batch.ts'
import { Refusal } from '../../server/src/refusals.ts'
import type { FaultyShop } from '../faults/faulty-shop.ts'
import { eventually } from '../setup/eventually.ts'
import type { Shop } from '../setup/shop.ts'

const COMMIT = /^commit$/

/** How often a statement was sent. */
export const sent = ({ proxy }: FaultyShop, statement: string) =>
  proxy.queries.filter(([first]) => first === statement).length

/** Keeps a batch under way, its COMMIT held back, until `end`. */
export async function underWay<T>(faulty: FaultyShop, open: () => Promise<T>) {
  const held = Promise.withResolvers<void>()
  const before = sent(faulty, 'commit')
  faulty.proxy.inject({ until: held.promise }, COMMIT)
  const opened = open()
  await eventually(() => sent(faulty, 'commit')).toBe(before + 1)
  return {
    end: () => {
      held.resolve()
      return opened
    },
  }
}

/** Makes calls, in-process, while a batch is under way: they gather, and are settled together in the next one. */
export async function inOneBatch<T>(
  faulty: FaultyShop,
  open: () => Promise<unknown>,
  calls: (() => Promise<T>)[],
  beforeTheEnd: () => void = () => undefined,
): Promise<PromiseSettledResult<T>[]> {
  const batch = await underWay(faulty, open)
  beforeTheEnd()
  const answers = Promise.allSettled(calls.map((call) => call()))
  // In-process, a call is in the queue before the next turn of the event loop.
  await setImmediate()
  await batch.end()
  return answers
}

/** Settles requests in one batch. */
export const settled = ({ db }: Shop, requests: SettlementRequest[]) =>
  settleBatch({ db, suspects: new Map(), onFailedAttempt: () => undefined }, requests)

/** What requests came to, without their ids. */
export const told = (results: Result[]) =>
  results.map((result) => {
    if (result instanceof Refusal) return result.refusal.code
    if ('fault' in result) throw result.fault
    return { balance: result.balance, replayed: result.replayed }
  })
