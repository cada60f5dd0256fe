import type { Reader } from '@pointwise/db'
import { type RawBuilder, sql } from 'kysely'
import { type Chunk, KEYS, selectFound, type Table, within } from './table-scan.ts'

/** What holds of every row of a table, whatever stands in others but that a row is there. */
export interface Rule {
  check: 'references' | 'companions' | 'ranges'
  /** The column that the rule is about. */
  column: string
  expected: string
  holds: RawBuilder<boolean>
}

const existsIn = (table: string, key: string, column: string) =>
  sql<boolean>`exists (select 1 from ${sql.table(table)} other where ${sql.ref(`other.${key}`)} = ${sql.ref(`checked.${column}`)})`

const leadsTo = (table: Table | 'stores', column: string): Rule => ({
  check: 'references',
  column,
  expected: `a row of ${table}`,
  holds: existsIn(table, 'id', column),
})

const mayLeadTo = (table: Table, column: string): Rule => {
  const rule = leadsTo(table, column)
  return { ...rule, holds: sql`(${sql.ref(`checked.${column}`)} is null or ${rule.holds})` }
}

const has = (table: Table, key: string): Rule => ({
  check: 'companions',
  column: 'id',
  expected: `one row of ${table}`,
  holds: existsIn(table, key, 'id'),
})

const inRange = (column: string, expected: string, holds: RawBuilder<boolean>): Rule => ({
  check: 'ranges',
  column,
  expected,
  holds,
})

const between = (column: string, min: number, max: number) =>
  inRange(column, `${min} to ${max}`, sql`${sql.ref(`checked.${column}`)} between ${sql.lit(min)} and ${sql.lit(max)}`)

const atLeastZero = (column: string) => inRange(column, 'at least 0', sql`${sql.ref(`checked.${column}`)} >= 0`)

const oneOf = (column: string, ...values: string[]) =>
  inRange(column, values.join(' or '), sql`${sql.ref(`checked.${column}`)} in (${sql.join(values.map(sql.lit))})`)

/** Every rule, by the table whose rows it is about. */
export const RULES: Record<Table, Rule[]> = {
  users: [has('points', 'user_id')],
  points: [leadsTo('users', 'user_id'), between('point', 0, 1_000_000)],
  point_histories: [
    leadsTo('points', 'point_id'),
    mayLeadTo('orders', 'order_id'),
    between('balance', 0, 1_000_000),
    oneOf('use_type', 'CHARGE', 'USE', 'REFUND'),
    inRange(
      'point',
      'above 0 of a CHARGE, not above 0 of a USE, at least 0 of a REFUND',
      sql`case checked.use_type when 'CHARGE' then checked.point > 0 when 'USE' then checked.point <= 0 else checked.point >= 0 end`,
    ),
    inRange(
      'order_id',
      'none of a CHARGE, an order of others',
      sql`(checked.use_type = 'CHARGE') = (checked.order_id is null)`,
    ),
  ],
  products: [
    leadsTo('stores', 'store_id'),
    has('stock', 'product_id'),
    atLeastZero('price'),
    atLeastZero('sales_volume'),
  ],
  stock: [leadsTo('products', 'product_id'), atLeastZero('stock')],
  stock_changes: [
    leadsTo('products', 'product_id'),
    oneOf('reason', 'STOCKED', 'RESTOCKED', 'CORRECTED'),
    inRange(
      'change',
      'above 0 where RESTOCKED, below 0 where CORRECTED',
      sql`case checked.reason when 'RESTOCKED' then checked.change > 0 when 'CORRECTED' then checked.change < 0 else checked.change >= 0 end`,
    ),
  ],
  orders: [
    leadsTo('users', 'user_id'),
    oneOf('status', 'pending', 'paid', 'cancelled', 'refunded'),
    atLeastZero('total_price'),
    inRange(
      'paid_at',
      'a time of an order that was paid or refunded, none of others',
      sql`(checked.status in ('paid', 'refunded')) = (checked.paid_at is not null)`,
    ),
  ],
  order_products: [
    leadsTo('orders', 'order_id'),
    leadsTo('products', 'product_id'),
    atLeastZero('price'),
    between('count', 1, 1_000),
  ],
  payments: [leadsTo('orders', 'order_id'), leadsTo('users', 'user_id'), atLeastZero('amount')],
  refunds: [leadsTo('orders', 'order_id'), atLeastZero('amount')],
  product_sales: [
    leadsTo('products', 'product_id'),
    atLeastZero('count'),
    inRange('hour', 'the start of an hour', sql`minute(checked.hour) = 0 and second(checked.hour) = 0`),
  ],
  events: [],
}

/** Whether a row keeps the rule at that place in RULES, and the value of the rule's column. */
export type Verdicts = Record<`holds${number}`, number | null> & Record<`value${number}`, unknown>

/** The rows that break a rule of their table, with what each rule says of them. */
export function selectRuleBreakers(db: Reader, table: Table, chunk: Chunk) {
  const rules = RULES[table]
  const verdicts = rules.flatMap(({ column, holds }, index) => [
    sql`${sql.ref(`checked.${column}`)} as ${sql.id(`value${index}`)}`,
    sql`(${holds}) as ${sql.id(`holds${index}`)}`,
  ])
  const hour = table === 'product_sales' ? [sql`checked.hour as hour`] : []
  const all = sql.join(
    rules.map(({ holds }) => sql`(${holds})`),
    sql` and `,
  )
  return selectFound<Verdicts & { id: number; hour?: Date }>(
    db,
    sql`select ${sql.join([sql`${sql.ref(`checked.${KEYS[table]}`)} as id`, ...hour, ...verdicts])}
      from ${sql.table(table)} as checked where ${within(`checked.${KEYS[table]}`, chunk)} and not coalesce(${all}, false)`,
  )
}
