import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query'
import { useState } from 'react'
import { Amount } from '../parts/amount.tsx'
import { Dialog } from '../parts/dialog.tsx'
import { focus } from '../parts/focus.ts'
import { useSignIn } from '../parts/use-sign-in.tsx'
import * as queries from '../queries.ts'
import { useSession } from '../session.tsx'
import { OutcomeActions, OutcomeWords } from './outcome-view.tsx'
import { carryOut, type Purchase, totalOf } from './purchase.ts'

interface BuyDialogProps {
  purchase: Purchase
  onClose: () => void
}

const TITLES = { checkout: 'Buy', place: 'Order, pay later', pay: 'Pay' }

/** From the question whether to buy to the answer how it went, with a way on from every refusal. */
export function BuyDialog({ purchase: asked, onClose }: BuyDialogProps) {
  const { client } = useSession()
  const cache = useQueryClient()
  const [purchase, setPurchase] = useState(asked)
  const { mutate, data, isPending, reset } = useMutation({
    mutationFn: (purchase: Purchase) => carryOut(client, purchase),
    // Not waited for: how it went is known.
    onSettled: () => void cache.invalidateQueries(),
  })
  const send = (purchase: Purchase) => {
    setPurchase(purchase)
    mutate(purchase)
  }
  // Asked again rather than sent: it may be somebody else who signs in.
  const [isAskedAgain, setAskedAgain] = useState(false)
  const signIn = useSignIn(() => {
    reset()
    setAskedAgain(true)
  })
  if (signIn.dialog) return signIn.dialog
  const outcome = isPending ? undefined : data
  const isDone = outcome?.kind === 'paid' || outcome?.kind === 'placed'
  return (
    <Dialog title={isDone ? 'Thank you' : TITLES[purchase.kind]} onClose={onClose} isBusy={isPending}>
      {!isDone && <Bill purchase={purchase} />}
      <div className="outcome" role="status" aria-live="polite">
        {outcome && <OutcomeWords outcome={outcome} />}
      </div>
      {outcome ? (
        <OutcomeActions
          outcome={outcome}
          send={send}
          signIn={(purchase) => {
            setPurchase(purchase)
            void signIn.begin()
          }}
          onClose={onClose}
        />
      ) : (
        <div className="actions">
          <button
            ref={isAskedAgain ? focus : null}
            type="button"
            className="button large"
            aria-disabled={isPending}
            onClick={() => isPending || send(purchase)}
          >
            {isPending ? 'One moment…' : <Confirm purchase={purchase} />}
          </button>
          <button type="button" className="button large quiet" disabled={isPending} onClick={onClose}>
            Not now
          </button>
        </div>
      )}
    </Dialog>
  )
}

function Confirm({ purchase }: { purchase: Purchase }) {
  if (purchase.kind === 'place') return 'Place the order'
  return (
    <>
      Pay <Amount value={totalOf(purchase)} />
    </>
  )
}

/** What it costs, and what is left. */
function Bill({ purchase }: { purchase: Purchase }) {
  const { client, user } = useSession()
  const { data } = useQuery({ ...queries.balance(client, user?.id ?? 0), enabled: user !== null })
  const total = totalOf(purchase)
  const left = data && data.balance - total
  return (
    <dl className="bill">
      <div>
        <dt>
          {purchase.name}
          {purchase.kind !== 'pay' && (
            <span className="bill-note">
              {purchase.quantity} × <Amount value={purchase.price} />
            </span>
          )}
        </dt>
        <dd>
          <Amount value={total} />
        </dd>
      </div>
      <div>
        <dt>Your balance</dt>
        <dd>{data ? <Amount value={data.balance} /> : '…'}</dd>
      </div>
      {purchase.kind !== 'place' && (
        <div className="bill-left" data-short={left !== undefined && left < 0}>
          <dt>{left !== undefined && left < 0 ? 'Missing' : 'Left afterwards'}</dt>
          <dd>{left === undefined ? '…' : <Amount value={Math.abs(left)} />}</dd>
        </div>
      )}
    </dl>
  )
}
