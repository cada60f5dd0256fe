import { setImmediate } from 'node:timers/promises'
import { ContendedRows } from '../../server/src/payments/settlement/contended-rows.ts'
import { DeadlineReserve } from '../../server/src/payments/settlement/deadline-reserve.ts'
import type { SettlementRequest } from '../../server/src/payments/settlement/decide.ts'
import { type Outcome, settleBatch } from '../../server/src/payments/settlement/settle-batch.ts'
import type { FaultyShop } from '../faults/faulty-shop.ts'
import { eventually } from '../setup/eventually.ts'
import type { Shop } from '../setup/shop.ts'

const COMMIT = /^commit$/

/** How often a statement was sent to the database. */
export const statementCount = ({ proxy }: FaultyShop, statement: string) =>
  proxy.queries.filter(([first]) => first === statement).length

interface HeldCommit<T> extends Disposable {
  /** Lets the COMMIT pass, and returns what the transaction returns. */
  finish: () => Promise<T>
}

/** Starts a transaction and delays its COMMIT until `finish` is called or the value is disposed. */
export async function holdCommit<T>(faulty: FaultyShop, start: () => Promise<T>): Promise<HeldCommit<T>> {
  const commit = Promise.withResolvers<void>()
  const isHeld = faulty.proxy.inject({ until: commit.promise }, COMMIT)
  const started = start()
  // A test that fails before `finish` reports its own failure.
  started.catch(() => undefined)
  await eventually(isHeld).toBe(1)
  return {
    finish: () => {
      commit.resolve()
      return started
    },
    [Symbol.dispose]: commit.resolve,
  }
}

/** Makes in-process calls while another batch is under way, so that they gather and are settled in one batch. */
export async function inOneBatch<T>(
  faulty: FaultyShop,
  firstCall: () => Promise<unknown>,
  calls: (() => Promise<T>)[],
  beforeFinish: () => void = () => undefined,
): Promise<PromiseSettledResult<T>[]> {
  using firstBatch = await holdCommit(faulty, firstCall)
  beforeFinish()
  const results = Promise.allSettled(calls.map((call) => call()))
  // An in-process call is in the queue before the next turn of the event loop.
  await setImmediate()
  await firstBatch.finish()
  return results
}

/** Settles requests in one batch. */
export const settleTogether = ({ db }: Shop, requests: SettlementRequest[]) =>
  settleBatch(
    {
      pool: db,
      contendedRows: new ContendedRows(),
      deadlineReserve: new DeadlineReserve(),
      onFailedAttempt: () => undefined,
    },
    requests,
  )

/** Outcomes without ids, for comparison: a refusal's code, or the balance after the payment. */
export const summaryOf = (outcomes: Outcome[]) =>
  outcomes.map((outcome) => {
    if (outcome.kind === 'failed') throw outcome.error
    if (outcome.kind === 'deferred') return outcome.kind
    if (outcome.kind === 'refused') return outcome.refusal.refusal.code
    return { balance: outcome.paid.balance, replayed: outcome.paid.replayed }
  })
