import type { ColumnType, Generated, JSONColumnType } from 'kysely'

/** Set by the database when a row is inserted, or by us where the time is part of an answer. UTC, milliseconds. */
type CreatedAt = ColumnType<Date, Date | undefined, never>
/** Set by the database at every change, or by us where the time is part of an answer. UTC, milliseconds. */
type UpdatedAt = ColumnType<Date, Date | undefined, Date | undefined>

export type UseType = 'CHARGE' | 'USE' | 'REFUND'
export type StockReason = 'STOCKED' | 'RESTOCKED' | 'CORRECTED'
export type OrderStatus = 'pending' | 'paid' | 'cancelled' | 'refunded'

interface UserTable {
  id: Generated<number>
  name: string
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

/** Insert-only: one row for every change of a balance. */
interface PointHistoryTable {
  id: Generated<number>
  point_id: number
  /** Signed: what was added to the balance. */
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

/** Apart from products, so that the row every payment locks stays small. */
interface StockTable {
  id: Generated<number>
  product_id: number
  stock: number
  created_at: CreatedAt
  updated_at: UpdatedAt
}

/** Insert-only: everything that ever changed stock, except sales and refunds. */
interface StockChangeTable {
  id: Generated<number>
  product_id: number
  /** Signed. */
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

/** The name and the price are those of the moment of the order. No foreign key to products: see docs/transactions.md. */
interface OrderProductTable {
  id: Generated<number>
  order_id: number
  product_id: number
  product_name: string
  price: number
  count: number
  created_at: CreatedAt
}

/** The order is the primary key: a second payment of an order cannot exist. */
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

/** How many pieces of a product were paid in an hour, less those refunded since. */
interface ProductSaleTable {
  product_id: number
  /** The start of the hour, UTC. */
  hour: Date
  count: number
}

/** The outbox: the last insert of the transaction that it tells of. */
interface EventTable {
  id: Generated<number>
  type: string
  key: string
  payload: JSONColumnType<object>
  created_at: CreatedAt
  published_at: Date | null
}

/** Kept by the migrator. */
interface MigrationTable {
  name: string
  timestamp: string
}

/** Every table, by its name in the database. */
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
  kysely_migration: MigrationTable
}
