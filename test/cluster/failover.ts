import { expectWithin } from '../setup/deadline.ts'
import { eventually } from '../setup/eventually.ts'
import type { CheckoutLoad } from './checkout-load.ts'
import type { DatabaseCluster, Member } from './database-cluster.ts'
import { writeResult } from './failover-table.ts'

/** Writes go on so long after the engine's own failover. */
const WRITES_WITHIN_MS = 10_000
const PATIENT = { timeout: 180_000, interval: 100 }

export const portOf = ({ url }: Member): number => Number(new URL(url).port)

export interface Failover {
  /** The engine and the event, separated by a comma. */
  title: string
  load: CheckoutLoad
  /** Makes the primary unavailable. */
  fail: () => Promise<unknown>
  /** Whether the engine has another primary. */
  hasFailedOver: () => Promise<boolean>
}

/** Runs a failover under load, and asserts that checkouts go on in time after the engine has another primary. */
export async function failOver({ title, load, fail, hasFailedOver }: Failover): Promise<void> {
  await load.more()
  load.takeFindings()
  const startedAt = performance.now()
  await fail()
  await eventually(() => hasFailedOver().catch(() => false), PATIENT).toBe(true)
  const engineMs = performance.now() - startedAt
  await load.more(1)
  expectWithin(performance.now() - startedAt - engineMs, WRITES_WITHIN_MS)
  await load.more()
  const { longestSilenceMs, answers } = load.takeFindings()
  process.stdout.write(
    `${title}: ${JSON.stringify({ engineMs: Math.round(engineMs), longestSilenceMs, ...answers })}\n`,
  )
  const [engine = '', event = ''] = title.split(', ')
  await writeResult({ engine, event, engineMs, longestSilenceMs, busy: answers.service_busy, unknown: answers.unknown })
}

/** The member that listens on this port. */
export function memberAt({ members }: DatabaseCluster, port: number | undefined): Member {
  const member = members.find((each) => portOf(each) === port)
  if (!member) throw new Error(`No member of the cluster listens on port ${port}.`)
  return member
}
