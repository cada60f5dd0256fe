import type { AuditRun, TableScans } from '../audit-run.ts'
import type { Chunk } from '../queries/chunk-queries.ts'
import * as queries from '../queries/wallet-queries.ts'

/** Compares each wallet with its history, and each history row with the previous one. */
export async function checkWallets(run: AuditRun, scans: TableScans): Promise<void> {
  const { db, findings } = run
  findings.addRows('balances', scans.points.rows)
  findings.addRows('chains', scans.point_histories.rows)
  for await (const chunk of walletChunks(run, scans)) {
    for (const { id, balance, historySum } of await queries.selectWrongBalances(db, chunk).execute()) {
      findings.addFinding('balances', {
        what: 'points',
        ids: { id },
        expected: `point ${historySum}`,
        found: `point ${balance}`,
      })
    }
    for (const { id, balance, previous, point } of await queries.selectBrokenChains(db, chunk).execute()) {
      findings.addFinding('chains', {
        what: 'point_histories',
        ids: { id },
        expected: `balance ${previous + point} (previous balance ${previous}, change ${point})`,
        found: `balance ${balance}`,
      })
    }
  }
}

/** Splits wallets into chunks of at most about `chunkSize` history rows: one wallet may have thousands of rows. */
async function* walletChunks(
  { db, chunkSize: size }: AuditRun,
  { points, point_histories: histories }: TableScans,
): AsyncGenerator<Chunk> {
  for (const { after: first, through: last } of points.chunks) {
    for (let after = first; after < last; ) {
      const next = histories.rows <= size ? undefined : await walletAfterRows(after)
      const through = Math.min(last, next ?? last)
      yield { after, through }
      after = through
    }
  }
  async function walletAfterRows(after: number) {
    const wallet = await queries.selectWalletAfterRows(db, { after, size }).executeTakeFirst()
    return wallet?.id
  }
}

/** Compares the sum of all balances with the charges, payments and refunds that changed them. */
export function checkTotal({ findings }: AuditRun, { points, point_histories, payments, refunds }: TableScans): void {
  const expected = point_histories.points - payments.points + refunds.points
  findings.addRows('total', points.rows)
  if (points.points === expected) return
  findings.addFinding('total', {
    what: 'points',
    ids: {},
    expected: `${expected} (${point_histories.points} charged - ${payments.points} paid + ${refunds.points} refunded)`,
    found: String(points.points),
  })
}
