import { forceIndex, type Reader } from '@pointwise/db'
import { sql } from 'kysely'
import { type Chunk, within } from './chunk-queries.ts'

/** The wallet of the history row that is `size` rows after wallet `after`, in the order of wallets; reads an index only. */
export function selectWalletAfterRows(db: Reader, { after, size }: { after: number; size: number }) {
  return db
    .selectFrom(forceIndex('point_histories', 'point_histories_newest'))
    .select('point_id as id')
    .where('point_id', '>', after)
    .orderBy('point_id')
    .limit(1)
    .offset(size)
}

export function selectWrongBalances(db: Reader, wallets: Chunk) {
  const historySum = sql<string>`coalesce(sum(point_histories.point), 0)`
  return db
    .selectFrom('points')
    .leftJoin(forceIndex('point_histories', 'point_histories_newest'), 'point_histories.point_id', 'points.id')
    .select(['points.id', 'points.point as balance', historySum.as('historySum')])
    .where(within('points.id', wallets))
    .groupBy(['points.id', 'points.point'])
    .having(sql<boolean>`points.point <> ${historySum}`)
}

/**
 * History rows whose balance does not follow from the previous row. The default of a wallet's first row is a `coalesce`,
 * because MariaDB's `lag` takes no default.
 */
export function selectBrokenChains(db: Reader, wallets: Chunk) {
  const rows = db
    .selectFrom(forceIndex('point_histories', 'point_histories_newest'))
    .select([
      'id',
      'point',
      'balance',
      sql<number>`coalesce(lag(balance) over (partition by point_id order by id), 0)`.as('previous'),
    ])
    .where(within('point_id', wallets))
  return db
    .selectFrom(rows.as('chain'))
    .select(['id', 'point', 'balance', 'previous'])
    .where(sql<boolean>`balance <> previous + point`)
}
