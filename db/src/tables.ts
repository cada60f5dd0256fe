import type { ColumnType, Generated, JSONColumnType } from 'kysely'

/**
 * Set by the database at INSERT, unless the statement sets it because the time is part of a response. UTC,
 * milliseconds.
 */
type CreatedAt = ColumnType<Date, Date | undefined, never>
/**
 * Set by the database at each change, unless the statement sets it because the time is part of a response. UTC,
 * milliseconds.
 */
type UpdatedAt = ColumnType<Date, Date | undefined, Date | undefined>

export type UseType = 'CHARGE' | 'USE' | 'REFUND'
export type StockReason = 'STOCKED' | 'RESTOCKED' | 'CORRECTED'
export type OrderStatus = 'pending' | 'paid' | 'cancelled' | 'refunded'

interface UserTable {
  id: Generated<number>
  name: string
  /** See `nameKey`. Unique. NULL in a row that a server of the previous version wrote, until the next start. */
  name_key: string | null
  deleted_at: Date | null
  created_at: CreatedAt
  updated_at: UpdatedAt
}

/** A user's wallet. */
interface PointTable {
  id: Generated<number>
  user_id: number
  /** The balance, 0 to 1,000,000. */
  point: number
  created_at: CreatedAt
  updated_at: UpdatedAt
}

/** Insert-only. One row for each change of a balance. */
interface PointHistoryTable {
  id: Generated<number>
  point_id: number
  /** The change of the balance: positive for CHARGE and REFUND, negative for USE. */
  point: number
  /** The balance after this change. */
  balance: number
  use_type: UseType
  order_id: number | null
  idempotency_key: string | null
  created_at: CreatedAt
}

interface StoreTable {
  id: Generated<number>
  name: string
  /** See `nameKey`. Unique. NULL in a row that a server of the previous version wrote, until the next start. */
  name_key: string | null
  deleted_at: Date | null
  created_at: CreatedAt
  updated_at: UpdatedAt
}

interface ProductTable {
  id: Generated<number>
  store_id: number
  name: string
  price: number
  sales_volume: Generated<number>
  deleted_at: Date | null
  created_at: CreatedAt
  updated_at: UpdatedAt
}

/** Separate from `products`, so that the row that each payment locks stays small. */
interface StockTable {
  id: Generated<number>
  product_id: number
  stock: number
  created_at: CreatedAt
  updated_at: UpdatedAt
}

/** Insert-only. One row for each change of stock that is neither a payment nor a refund. */
interface StockChangeTable {
  id: Generated<number>
  product_id: number
  /** Positive when stock was added, negative when it was removed. */
  change: number
  reason: StockReason
  idempotency_key: string
  created_at: CreatedAt
}

interface OrderTable {
  id: Generated<number>
  user_id: number
  status: OrderStatus
  total_price: number
  idempotency_key: string
  paid_at: Date | null
  created_at: CreatedAt
  updated_at: UpdatedAt
}

/**
 * `product_name` and `price` are those at the time of the order. No foreign key to products: see docs/transactions.md.
 */
interface OrderProductTable {
  id: Generated<number>
  order_id: number
  product_id: number
  product_name: string
  price: number
  count: number
  created_at: CreatedAt
}

/** `order_id` is the primary key, so an order has at most one payment. */
interface PaymentTable {
  order_id: number
  user_id: number
  amount: number
  created_at: CreatedAt
}

interface RefundTable {
  order_id: number
  amount: number
  created_at: CreatedAt
}

/** Units of a product paid within one hour, minus the units of those payments that were refunded. */
interface ProductSaleTable {
  product_id: number
  /** The start of the hour, UTC. */
  hour: Date
  count: number
}

/** The outbox. An event is the last insert of the transaction that it describes. */
interface EventTable {
  id: Generated<number>
  type: string
  key: string
  payload: JSONColumnType<object>
  created_at: CreatedAt
  published_at: Date | null
  /** The W3C Trace Context of the request that caused the event. */
  traceparent: string | null
}

/** How far something has come in the outbox. The row `horizon` exists in every database. */
interface OutboxCursorTable {
  name: string
  /** An event id. The position of `horizon` is the highest id whose event was deleted on purpose. */
  position: number
  owner: string | null
  lease_expires_at: Date | null
  epoch: Generated<number>
  updated_at: UpdatedAt
}

/** Written by Kysely's migrator. */
interface MigrationTable {
  name: string
  timestamp: string
}

/** All tables by name. */
export interface Tables {
  users: UserTable
  points: PointTable
  point_histories: PointHistoryTable
  stores: StoreTable
  products: ProductTable
  stock: StockTable
  stock_changes: StockChangeTable
  orders: OrderTable
  order_products: OrderProductTable
  payments: PaymentTable
  refunds: RefundTable
  product_sales: ProductSaleTable
  events: EventTable
  outbox_cursors: OutboxCursorTable
  kysely_migration: MigrationTable
}
