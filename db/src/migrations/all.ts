import type { Migration } from 'kysely/migration'
import { users } from './0001-users.ts'
import { points } from './0002-points.ts'
import { stores } from './0003-stores.ts'
import { products } from './0004-products.ts'
import { stock } from './0005-stock.ts'
import { stockChanges } from './0006-stock-changes.ts'
import { orders } from './0007-orders.ts'
import { orderProducts } from './0008-order-products.ts'
import { pointHistories } from './0009-point-histories.ts'
import { payments } from './0010-payments.ts'
import { refunds } from './0011-refunds.ts'
import { productSales } from './0012-product-sales.ts'
import { events } from './0013-events.ts'
import { outboxCursors } from './0014-outbox-cursors.ts'
import { salesBigint } from './0015-sales-bigint.ts'
import { nameKeys } from './0016-name-keys.ts'
import { eventTraceparent } from './0017-event-traceparent.ts'
import { productsOfStore } from './0018-products-of-store.ts'

/**
 * All migrations in the order in which they are applied. There are no down migrations. A released migration is never
 * changed.
 */
export const migrations: Record<string, Migration> = {
  '0001-users': users,
  '0002-points': points,
  '0003-stores': stores,
  '0004-products': products,
  '0005-stock': stock,
  '0006-stock-changes': stockChanges,
  '0007-orders': orders,
  '0008-order-products': orderProducts,
  '0009-point-histories': pointHistories,
  '0010-payments': payments,
  '0011-refunds': refunds,
  '0012-product-sales': productSales,
  '0013-events': events,
  '0014-outbox-cursors': outboxCursors,
  '0015-sales-bigint': salesBigint,
  '0016-name-keys': nameKeys,
  '0017-event-traceparent': eventTraceparent,
  '0018-products-of-store': productsOfStore,
}
