import type { Reader } from '@pointwise/db'
import { type RawBuilder, sql } from 'kysely'
import { CHUNK_KEYS, type Chunk, selectFromRaw, type Table, within } from './chunk-queries.ts'

/** A condition on every row of a table. It depends on the row, and on whether rows that it refers to exist. */
export interface Rule {
  check: 'references' | 'companions' | 'ranges' | 'times'
  /** The column whose value the finding shows. */
  column: string
  expected: string
  condition: RawBuilder<boolean>
}

const existsIn = (table: string, key: string, column: string) =>
  sql<boolean>`exists (select 1 from ${sql.table(table)} other where ${sql.ref(`other.${key}`)} = ${sql.ref(`checked.${column}`)})`

const references = (table: Table | 'stores', column: string): Rule => ({
  check: 'references',
  column,
  expected: `the id of a row in ${table}`,
  condition: existsIn(table, 'id', column),
})

const referencesIfSet = (table: Table, column: string): Rule => {
  const rule = references(table, column)
  return { ...rule, condition: sql`(${sql.ref(`checked.${column}`)} is null or ${rule.condition})` }
}

const hasRowIn = (table: Table, key: string): Rule => ({
  check: 'companions',
  column: 'id',
  expected: `a row in ${table}`,
  condition: existsIn(table, key, 'id'),
})

const inRange = (column: string, expected: string, condition: RawBuilder<boolean>): Rule => ({
  check: 'ranges',
  column,
  expected,
  condition,
})

const between = (column: string, min: number, max: number) =>
  inRange(
    column,
    `from ${min} to ${max}`,
    sql`${sql.ref(`checked.${column}`)} between ${sql.lit(min)} and ${sql.lit(max)}`,
  )

const atLeastZero = (column: string) => inRange(column, '>= 0', sql`${sql.ref(`checked.${column}`)} >= 0`)

const oneOf = (column: string, ...values: string[]) =>
  inRange(column, values.join(' or '), sql`${sql.ref(`checked.${column}`)} in (${sql.join(values.map(sql.lit))})`)

const UUID = '^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$'
const NIL_UUID = '00000000-0000-0000-0000-000000000000'

const isKey = sql<boolean>`(checked.idempotency_key regexp ${sql.lit(UUID)} and checked.idempotency_key <> ${sql.lit(NIL_UUID)})`
const hasKey = inRange('idempotency_key', 'a UUID other than the nil UUID', isKey)

const atTime = (column: string, expected: string, condition: RawBuilder<boolean>): Rule => ({
  check: 'times',
  column,
  expected,
  condition,
})

/** The rules of each table. */
export const RULES: Record<Table, Rule[]> = {
  users: [hasRowIn('points', 'user_id')],
  points: [
    references('users', 'user_id'),
    between('point', 0, 1_000_000),
    atTime(
      'created_at',
      'the time at which the user was created',
      sql`coalesce((select users.created_at = checked.created_at from users where users.id = checked.user_id), true)`,
    ),
  ],
  point_histories: [
    references('points', 'point_id'),
    referencesIfSet('orders', 'order_id'),
    between('balance', 0, 1_000_000),
    oneOf('use_type', 'CHARGE', 'USE', 'REFUND'),
    inRange(
      'point',
      '> 0 for CHARGE, <= 0 for USE, >= 0 for REFUND',
      sql`case checked.use_type when 'CHARGE' then checked.point > 0 when 'USE' then checked.point <= 0 else checked.point >= 0 end`,
    ),
    inRange(
      'order_id',
      'null for CHARGE, an order for USE and REFUND',
      sql`(checked.use_type = 'CHARGE') = (checked.order_id is null)`,
    ),
    inRange(
      'idempotency_key',
      'a UUID other than the nil UUID for CHARGE, otherwise null',
      sql`if(checked.use_type = 'CHARGE', ${isKey}, checked.idempotency_key is null)`,
    ),
  ],
  products: [
    references('stores', 'store_id'),
    hasRowIn('stock', 'product_id'),
    atLeastZero('price'),
    atLeastZero('sales_volume'),
  ],
  stock: [references('products', 'product_id'), atLeastZero('stock')],
  stock_changes: [
    references('products', 'product_id'),
    oneOf('reason', 'STOCKED', 'RESTOCKED', 'CORRECTED'),
    inRange(
      'change',
      '>= 0 for STOCKED, > 0 for RESTOCKED, < 0 for CORRECTED',
      sql`case checked.reason when 'RESTOCKED' then checked.change > 0 when 'CORRECTED' then checked.change < 0 else checked.change >= 0 end`,
    ),
    hasKey,
  ],
  orders: [
    references('users', 'user_id'),
    oneOf('status', 'pending', 'paid', 'cancelled', 'refunded'),
    atLeastZero('total_price'),
    inRange(
      'paid_at',
      'a time if the status is paid or refunded, otherwise null',
      sql`(checked.status in ('paid', 'refunded')) = (checked.paid_at is not null)`,
    ),
    hasKey,
    atTime('paid_at', 'not before created_at', sql`(checked.paid_at is null or checked.paid_at >= checked.created_at)`),
  ],
  order_products: [
    references('orders', 'order_id'),
    references('products', 'product_id'),
    atLeastZero('price'),
    between('count', 1, 1_000),
  ],
  payments: [references('orders', 'order_id'), references('users', 'user_id'), atLeastZero('amount')],
  refunds: [
    references('orders', 'order_id'),
    atLeastZero('amount'),
    atTime(
      'created_at',
      'not before the payment',
      sql`coalesce((select orders.paid_at <= checked.created_at from orders where orders.id = checked.order_id), true)`,
    ),
  ],
  product_sales: [
    references('products', 'product_id'),
    atLeastZero('count'),
    inRange('hour', 'the start of an hour', sql`minute(checked.hour) = 0 and second(checked.hour) = 0`),
  ],
  events: [],
}

/** For the rule at each index in RULES: whether the row satisfies it, and the value of the rule's column. */
export type RuleResults = Record<`satisfied${number}`, number | null> & Record<`value${number}`, unknown>

/** The rows of a chunk that violate a rule of their table, with the result of each rule. */
export function selectRuleViolations(db: Reader, table: Table, chunk: Chunk) {
  const rules = RULES[table]
  const key = sql.ref(`checked.${CHUNK_KEYS[table]}`)
  const results = rules.flatMap(({ column, condition }, index) => [
    sql`${sql.ref(`checked.${column}`)} as ${sql.id(`value${index}`)}`,
    sql`(${condition}) as ${sql.id(`satisfied${index}`)}`,
  ])
  const hour = table === 'product_sales' ? [sql`checked.hour as hour`] : []
  const satisfiesAll = sql.join(
    rules.map(({ condition }) => sql`(${condition})`),
    sql` and `,
  )
  return selectFromRaw<RuleResults & { id: number; hour?: Date }>(
    db,
    sql`select ${sql.join([sql`${key} as id`, ...hour, ...results])} from ${sql.table(table)} as checked
      where ${within(`checked.${CHUNK_KEYS[table]}`, chunk)} and not coalesce(${satisfiesAll}, false)`,
  )
}
