import { forceIndex, type Reader } from '@pointwise/db'
import { sql } from 'kysely'
import { type Chunk, within } from './table-scan.ts'

/** The wallet in whose history the row lies that comes `size` rows further on: an index tells. */
export function selectWalletFurtherOn(db: Reader, { after, size }: { after: number; size: number }) {
  return db
    .selectFrom(forceIndex('point_histories', 'point_histories_newest'))
    .select('point_id as id')
    .where('point_id', '>', after)
    .orderBy('point_id')
    .limit(1)
    .offset(size)
}

export function selectBalancesOffHistory(db: Reader, chunk: Chunk) {
  const history = sql<string>`coalesce(sum(point_histories.point), 0)`
  return db
    .selectFrom('points')
    .leftJoin(forceIndex('point_histories', 'point_histories_newest'), 'point_histories.point_id', 'points.id')
    .select(['points.id', 'points.point as balance', history.as('history')])
    .where(within('points.id', chunk))
    .groupBy(['points.id', 'points.point'])
    .having(sql<boolean>`points.point <> ${history}`)
}

/** A `lag` with a default would be shorter, and MariaDB has none. */
export function selectGaps(db: Reader, chunk: Chunk) {
  const rows = db
    .selectFrom(forceIndex('point_histories', 'point_histories_newest'))
    .select([
      'id',
      'point',
      'balance',
      sql<number>`coalesce(lag(balance) over (partition by point_id order by id), 0)`.as('before_it'),
    ])
    .where(within('point_id', chunk))
  return db
    .selectFrom(rows.as('chain'))
    .select(['id', 'point', 'balance', 'before_it as before'])
    .where(sql<boolean>`balance <> before_it + point`)
}
