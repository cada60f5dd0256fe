import type { RouterOutputs } from '@pointwise/client-sdk'
import { useInfiniteQuery, useQuery } from '@tanstack/react-query'
import { TopUpForm } from '../checkout/top-up-form.tsx'
import { Amount } from '../components/amount.tsx'
import { ErrorMessage } from '../components/error-message.tsx'
import { LoadMoreButton } from '../components/load-more-button.tsx'
import { Page, Title } from '../components/page.tsx'
import { SignInPrompt } from '../components/sign-in-prompt.tsx'
import { Skeleton, times } from '../components/skeleton.tsx'
import { formatDate, formatPoints } from '../format.ts'
import * as queries from '../queries.ts'
import { useSession } from '../session.tsx'

export function PointsPage() {
  const { user } = useSession()
  return (
    <Page>
      <Title title="Your points" path="/points" />
      {user ? (
        <div className="points">
          <Wallet userId={user.id} />
          <Histories key={user.id} userId={user.id} />
        </div>
      ) : (
        <SignInPrompt purpose="to see your points" />
      )}
    </Page>
  )
}

function Wallet({ userId }: { userId: number }) {
  const { client } = useSession()
  const { data, error, refetch } = useQuery(queries.balance(client, userId))
  return (
    <section className="wallet" aria-labelledby="wallet-title">
      <h2 id="wallet-title">Balance</h2>
      {error && !data ? (
        <ErrorMessage error={error} retry={refetch} />
      ) : (
        <>
          <p className="wallet-balance">
            {data ? <Amount value={data.balance} /> : <Skeleton className="skeleton-price" />}
          </p>
          <meter aria-label="Share of the balance limit" min={0} max={data?.limit ?? 1} value={data?.balance ?? 0} />
          <p className="hint">{data ? `The limit is ${formatPoints(data.limit)}.` : '\u00a0'}</p>
        </>
      )}
      <TopUpForm key={userId} />
    </section>
  )
}

type History = RouterOutputs['points']['histories']['items'][number]

const TYPE_LABELS = { CHARGE: 'Topped up', USE: 'Paid', REFUND: 'Refunded' }

function Histories({ userId }: { userId: number }) {
  const { client } = useSession()
  const list = useInfiniteQuery(queries.histories(client, userId))
  const { data, error, refetch } = list
  const histories = data?.pages.flatMap(({ items }) => items)
  return (
    <section className="histories" aria-labelledby="histories-title">
      <h2 id="histories-title">History</h2>
      {error && !data ? (
        <ErrorMessage error={error} retry={refetch} />
      ) : histories?.length === 0 ? (
        <p className="empty">No transactions yet. Top up some points to get started.</p>
      ) : (
        <table aria-busy={!histories}>
          <thead>
            <tr>
              <th scope="col">Type</th>
              <th scope="col" className="when">
                Date
              </th>
              <th scope="col">Points</th>
              <th scope="col">Balance</th>
            </tr>
          </thead>
          <tbody>
            {histories
              ? histories.map((history) => <HistoryRow key={history.id} history={history} />)
              : times(10).map((index) => (
                  <tr key={index}>
                    <td colSpan={4}>
                      <Skeleton className="skeleton-line" />
                    </td>
                  </tr>
                ))}
          </tbody>
        </table>
      )}
      <LoadMoreButton label="Show older transactions" list={list} />
    </section>
  )
}

function HistoryRow({ history: { type, amount, balance, orderId, createdAt } }: { history: History }) {
  return (
    <tr>
      <td>
        {TYPE_LABELS[type]}
        {orderId !== null && <span className="history-order"> order {orderId}</span>}
      </td>
      <td className="when">
        <time dateTime={createdAt.toISOString()}>{formatDate(createdAt)}</time>
      </td>
      <td className={amount > 0 ? 'gain' : undefined}>
        <Amount value={amount} sign />
      </td>
      <td>
        <Amount value={balance} />
      </td>
    </tr>
  )
}
