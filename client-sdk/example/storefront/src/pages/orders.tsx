import type { Order } from '@pointwise/client-sdk'
import { useInfiniteQuery } from '@tanstack/react-query'
import { useState } from 'react'
import { CancelOrderDialog } from '../checkout/cancel-order-dialog.tsx'
import type { Purchase } from '../checkout/purchase.ts'
import { PurchaseDialog } from '../checkout/purchase-dialog.tsx'
import { ErrorMessage } from '../components/error-message.tsx'
import { LoadMoreButton } from '../components/load-more-button.tsx'
import { OrderCard } from '../components/order-card.tsx'
import { Page, Title } from '../components/page.tsx'
import { SignInPrompt } from '../components/sign-in-prompt.tsx'
import { Skeleton, times } from '../components/skeleton.tsx'
import * as queries from '../queries.ts'
import { Link } from '../router.tsx'
import { useSession } from '../session.tsx'

const FILTERS: { label: string; status: queries.OrderStatus | undefined }[] = [
  { label: 'All', status: undefined },
  { label: 'To pay', status: 'pending' },
  { label: 'Paid', status: 'paid' },
  { label: 'Cancelled', status: 'cancelled' },
  { label: 'Refunded', status: 'refunded' },
]

interface OrderRequest {
  action: 'pay' | 'cancel'
  order: Order
}

export function OrdersPage() {
  const { user } = useSession()
  const [status, setStatus] = useState<queries.OrderStatus>()
  // Stored here, because an order that is paid leaves the filtered list while its dialog is still open.
  const [request, setRequest] = useState<OrderRequest>()
  const close = () => setRequest(undefined)
  return (
    <Page>
      <Title title="Your orders" path="/orders" />
      {user ? (
        <>
          <fieldset className="chips">
            <legend className="visually-hidden">Filter orders by status</legend>
            {FILTERS.map((filter) => (
              <button
                key={filter.label}
                type="button"
                className="chip"
                aria-pressed={filter.status === status}
                onClick={() => setStatus(filter.status)}
              >
                {filter.label}
              </button>
            ))}
          </fieldset>
          <Orders key={`${user.id} ${status}`} userId={user.id} status={status} onRequest={setRequest} />
          {request?.action === 'pay' && <PurchaseDialog purchase={paymentOf(request.order)} onClose={close} />}
          {request?.action === 'cancel' && <CancelOrderDialog orderId={request.order.id} onClose={close} />}
        </>
      ) : (
        <SignInPrompt purpose="to see your orders" />
      )}
    </Page>
  )
}

const paymentOf = ({ id, totalPrice }: Order): Purchase => ({
  kind: 'pay',
  orderId: id,
  name: `Order ${id}`,
  total: totalPrice,
})

interface OrdersProps {
  userId: number
  status: queries.OrderStatus | undefined
  onRequest: (request: OrderRequest) => void
}

function Orders({ userId, status, onRequest }: OrdersProps) {
  const { client } = useSession()
  const list = useInfiniteQuery(queries.orders(client, userId, status))
  const { data, error, refetch } = list
  if (error && !data) return <ErrorMessage error={error} retry={refetch} />
  const orders = data?.pages.flatMap(({ items }) => items)
  if (orders?.length === 0) {
    return (
      <p className="empty">
        No orders here yet. <Link href="/">Go to the shop</Link>
      </p>
    )
  }
  return (
    <>
      <ul className="orders" aria-busy={!orders} aria-label="Orders">
        {orders
          ? orders.map((order) => (
              <li key={order.id}>
                <OrderCard
                  order={order}
                  onPay={() => onRequest({ action: 'pay', order })}
                  onCancel={() => onRequest({ action: 'cancel', order })}
                />
              </li>
            ))
          : times(8).map((index) => (
              <li key={index} className="order">
                <Skeleton className="skeleton-order" />
              </li>
            ))}
      </ul>
      <LoadMoreButton label="Show older orders" list={list} />
    </>
  )
}
