import type { AuditRun, TableScans } from '../audit-run.ts'
import type { Chunk } from '../queries/table-scan.ts'
import * as queries from '../queries/wallet-queries.ts'

/** Holds each wallet against its history, and each row of a history against the one before it. */
export async function checkWallets(
  survey: AuditRun,
  { points, point_histories: histories }: TableScans,
): Promise<void> {
  const { db, findings } = survey
  findings.addRows('balances', points.rows)
  findings.addRows('chains', histories.rows)
  for await (const chunk of bySizeOfHistory(survey, { points, point_histories: histories })) {
    for (const { id, balance, history } of await queries.selectBalancesOffHistory(db, chunk).execute()) {
      findings.addFinding('balances', {
        what: 'points',
        ids: { id },
        expected: `point ${history}`,
        found: `point ${balance}`,
      })
    }
    for (const { id, balance, before, point } of await queries.selectGaps(db, chunk).execute()) {
      findings.addFinding('chains', {
        what: 'point_histories',
        ids: { id },
        expected: `balance ${before + point}, which is ${before} and ${point}`,
        found: `balance ${balance}`,
      })
    }
  }
}

/** Wallets in chunks of bounded history, for a wallet may have thousands of rows. */
async function* bySizeOfHistory(
  { db, chunkSize: size }: AuditRun,
  { points, point_histories: histories }: Pick<TableScans, 'points' | 'point_histories'>,
): AsyncGenerator<Chunk> {
  for (const { after: start, upTo: end } of points.chunks) {
    for (let after = start; after < end; ) {
      const next = histories.rows <= size ? undefined : await furtherOn(after)
      const upTo = Math.min(end, next ?? end)
      yield { after, upTo }
      after = upTo
    }
  }
  async function furtherOn(after: number) {
    const wallet = await queries.selectWalletFurtherOn(db, { after, size }).executeTakeFirst()
    return wallet?.id
  }
}

/** Holds all balances together against all that ever changed them. */
export function checkTotal({ findings }: AuditRun, { points, point_histories, payments, refunds }: TableScans): void {
  const expected = point_histories.points - payments.points + refunds.points
  findings.addRows('total', points.rows)
  if (points.points === expected) return
  findings.addFinding('total', {
    what: 'points',
    ids: {},
    expected: `${expected} = ${point_histories.points} charged − ${payments.points} paid + ${refunds.points} refunded`,
    found: String(points.points),
  })
}
