import { useInfiniteQuery } from '@tanstack/react-query'
import { useState } from 'react'
import { Failure } from '../parts/failure.tsx'
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
          <Orders key={`${user.id} ${status}`} userId={user.id} status={status} />
        </>
      ) : (
        <SignInFirst to="to see what you ordered" />
      )}
    </Page>
  )
}

function Orders({ userId, status }: { userId: number; status: queries.OrderStatus | undefined }) {
  const { client } = useSession()
  const { data, error, refetch, hasNextPage, fetchNextPage, isFetchingNextPage } = useInfiniteQuery(
    queries.orders(client, userId, status),
  )
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
                <OrderCard order={order} />
              </li>
            ))
          : times(4).map((index) => (
              <li key={index} className="order">
                <Bone className="bone-order" />
              </li>
            ))}
      </ul>
      {hasNextPage && (
        <button
          type="button"
          className="button quiet more"
          disabled={isFetchingNextPage}
          onClick={() => fetchNextPage()}
        >
          {isFetchingNextPage ? 'One moment…' : 'Show older orders'}
        </button>
      )}
    </>
  )
}
