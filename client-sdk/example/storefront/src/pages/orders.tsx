import type { Order } from '@pointwise/client-sdk'
import { useInfiniteQuery } from '@tanstack/react-query'
import { useState } from 'react'
import { BuyDialog } from '../buying/buy-dialog.tsx'
import { CancelDialog } from '../buying/cancel-dialog.tsx'
import type { Purchase } from '../buying/purchase.ts'
import { Failure } from '../parts/failure.tsx'
import { MoreButton } from '../parts/more-button.tsx'
import { OrderCard } from '../parts/order-card.tsx'
import { Page, Title } from '../parts/page.tsx'
import { SignInFirst } from '../parts/sign-in-first.tsx'
import { Bone, times } from '../parts/skeleton.tsx'
import * as queries from '../queries.ts'
import { Link } from '../route.tsx'
import { useSession } from '../session.tsx'

const FILTERS: { label: string; status: queries.OrderStatus | undefined }[] = [
  { label: 'All', status: undefined },
  { label: 'To pay', status: 'pending' },
  { label: 'Paid', status: 'paid' },
  { label: 'Cancelled', status: 'cancelled' },
  { label: 'Refunded', status: 'refunded' },
]

export function OrdersPage() {
  const { user } = useSession()
  const [status, setStatus] = useState<queries.OrderStatus>()
  // Kept here: an order that is paid leaves the list of those to pay, and its dialog is still to say so.
  const [asked, setAsked] = useState<{ to: 'pay' | 'cancel'; order: Order }>()
  const close = () => setAsked(undefined)
  return (
    <Page>
      <Title title="Your orders" place="/orders" />
      {user ? (
        <>
          <fieldset className="chips">
            <legend className="unseen">Which orders</legend>
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
          <Orders key={`${user.id} ${status}`} userId={user.id} status={status} ask={setAsked} />
          {asked?.to === 'pay' && <BuyDialog purchase={paymentOf(asked.order)} onClose={close} />}
          {asked?.to === 'cancel' && <CancelDialog orderId={asked.order.id} onClose={close} />}
        </>
      ) : (
        <SignInFirst to="to see what you ordered" />
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
  ask: (asked: { to: 'pay' | 'cancel'; order: Order }) => void
}

function Orders({ userId, status, ask }: OrdersProps) {
  const { client } = useSession()
  const list = useInfiniteQuery(queries.orders(client, userId, status))
  const { data, error, refetch } = list
  if (error && !data) return <Failure error={error} retry={refetch} />
  const orders = data?.pages.flatMap(({ items }) => items)
  if (orders?.length === 0) {
    return (
      <p className="empty">
        Nothing here yet. <Link href="/">To the shop</Link>
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
                  onPay={() => ask({ to: 'pay', order })}
                  onCancel={() => ask({ to: 'cancel', order })}
                />
              </li>
            ))
          : times(8).map((index) => (
              <li key={index} className="order">
                <Bone className="bone-order" />
              </li>
            ))}
      </ul>
      <MoreButton label="Show older orders" list={list} />
    </>
  )
}
