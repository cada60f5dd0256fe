import type { RouterOutputs } from '@pointwise/client-sdk'
import { useInfiniteQuery, useQuery } from '@tanstack/react-query'
import { ChargeForm } from '../buying/charge-form.tsx'
import { Amount } from '../parts/amount.tsx'
import { Failure } from '../parts/failure.tsx'
import { MoreButton } from '../parts/more-button.tsx'
import { Page, Title } from '../parts/page.tsx'
import { SignInFirst } from '../parts/sign-in-first.tsx'
import { Bone, times } from '../parts/skeleton.tsx'
import * as queries from '../queries.ts'
import { useSession } from '../session.tsx'
import { day, points } from '../words.ts'

export function PointsPage() {
  const { user } = useSession()
  return (
    <Page>
      <Title title="Your points" place="/points" />
      {user ? (
        <div className="points">
          <Wallet userId={user.id} />
          <Histories key={user.id} userId={user.id} />
        </div>
      ) : (
        <SignInFirst to="to see your points" />
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
        <Failure error={error} retry={refetch} />
      ) : (
        <>
          <p className="wallet-balance">{data ? <Amount value={data.balance} /> : <Bone className="bone-price" />}</p>
          <meter aria-label="Of what a balance may hold" min={0} max={data?.limit ?? 1} value={data?.balance ?? 0} />
          <p className="hint">{data ? `A balance holds ${points(data.limit)} at most.` : '\u00a0'}</p>
        </>
      )}
      <ChargeForm key={userId} />
    </section>
  )
}

type History = RouterOutputs['points']['histories']['items'][number]

const TYPES = { CHARGE: 'Charged', USE: 'Paid', REFUND: 'Refunded' }

function Histories({ userId }: { userId: number }) {
  const { client } = useSession()
  const list = useInfiniteQuery(queries.histories(client, userId))
  const { data, error, refetch } = list
  const histories = data?.pages.flatMap(({ items }) => items)
  return (
    <section className="histories" aria-labelledby="histories-title">
      <h2 id="histories-title">History</h2>
      {error && !data ? (
        <Failure error={error} retry={refetch} />
      ) : histories?.length === 0 ? (
        <p className="empty">Nothing yet: charge some points.</p>
      ) : (
        <table aria-busy={!histories}>
          <thead>
            <tr>
              <th scope="col">What</th>
              <th scope="col" className="when">
                When
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
                      <Bone className="bone-line" />
                    </td>
                  </tr>
                ))}
          </tbody>
        </table>
      )}
      <MoreButton label="Show older ones" list={list} />
    </section>
  )
}

function HistoryRow({ history: { type, amount, balance, orderId, createdAt } }: { history: History }) {
  return (
    <tr>
      <td>
        {TYPES[type]}
        {orderId !== null && <span className="history-order"> order {orderId}</span>}
      </td>
      <td className="when">
        <time dateTime={createdAt.toISOString()}>{day(createdAt)}</time>
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
