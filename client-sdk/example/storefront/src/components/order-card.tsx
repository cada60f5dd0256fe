import type { Order } from '@pointwise/client-sdk'
import { formatDate } from '../format.ts'
import { Link, productPath } from '../router.tsx'
import { Amount } from './amount.tsx'
import { keepFocus } from './focus.ts'
import { Tile } from './tile.tsx'

const STATUS = { pending: 'To pay', paid: 'Paid', cancelled: 'Cancelled', refunded: 'Refunded' }

interface OrderCardProps {
  order: Order
  onPay: () => void
  onCancel: () => void
}

export function OrderCard({ order, onPay, onCancel }: OrderCardProps) {
  const { id, status, items, totalPrice, createdAt, paidAt } = order
  const titleId = `order-${id}`
  const date = paidAt ?? createdAt
  return (
    <article className="order" aria-labelledby={titleId}>
      <div className="order-head">
        <h2 id={titleId}>Order {id}</h2>
        <span className="status" data-status={status}>
          {STATUS[status]}
        </span>
        <p className="order-date">
          {paidAt ? 'paid' : 'ordered'} <time dateTime={date.toISOString()}>{formatDate(date)}</time>
        </p>
      </div>
      <ul className="order-items">
        {items.map(({ productId, productName, quantity, amount }) => (
          <li key={productId} className="order-item">
            <Tile productId={productId} />
            <span>
              <Link href={productPath(productId)}>{productName}</Link>
              <span className="order-quantity"> × {quantity}</span>
            </span>
            <Amount value={amount} />
          </li>
        ))}
      </ul>
      <div className="order-foot">
        {status === 'pending' && (
          <div ref={keepFocus} className="actions">
            <button type="button" className="button" onClick={onPay}>
              Pay <span className="visually-hidden">order {id}</span>
            </button>
            <button type="button" className="button quiet" onClick={onCancel}>
              Cancel <span className="visually-hidden">order {id}</span>
            </button>
          </div>
        )}
        <p className="order-total">
          Total <Amount value={totalPrice} />
        </p>
      </div>
    </article>
  )
}
