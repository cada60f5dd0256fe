import type { Order } from '@pointwise/client-sdk'
import { useState } from 'react'
import { BuyDialog } from '../buying/buy-dialog.tsx'
import { CancelDialog } from '../buying/cancel-dialog.tsx'
import { Link, productPath } from '../route.tsx'
import { day } from '../words.ts'
import { Amount } from './amount.tsx'
import { Tile } from './tile.tsx'

const STATUS = { pending: 'To pay', paid: 'Paid', cancelled: 'Cancelled', refunded: 'Refunded' }

export function OrderCard({ order }: { order: Order }) {
  const [asked, setAsked] = useState<'pay' | 'cancel'>()
  const { id, status, items, totalPrice, createdAt, paidAt } = order
  const titleId = `order-${id}`
  return (
    <article className="order" aria-labelledby={titleId}>
      <div className="order-head">
        <h2 id={titleId}>Order {id}</h2>
        <span className="status" data-status={status}>
          {STATUS[status]}
        </span>
        <p className="order-day">
          {paidAt ? 'paid' : 'ordered'} <time dateTime={createdAt.toISOString()}>{day(paidAt ?? createdAt)}</time>
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
          <div className="actions">
            <button type="button" className="button" onClick={() => setAsked('pay')}>
              Pay <span className="unseen">order {id}</span>
            </button>
            <button type="button" className="button quiet" onClick={() => setAsked('cancel')}>
              Cancel <span className="unseen">order {id}</span>
            </button>
          </div>
        )}
        <p className="order-total">
          Total <Amount value={totalPrice} />
        </p>
      </div>
      {asked === 'pay' && (
        <BuyDialog
          purchase={{ kind: 'pay', orderId: id, name: `Order ${id}`, total: totalPrice }}
          onClose={() => setAsked(undefined)}
        />
      )}
      {asked === 'cancel' && <CancelDialog orderId={id} onClose={() => setAsked(undefined)} />}
    </article>
  )
}
