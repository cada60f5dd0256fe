import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query'
import { useState } from 'react'
import { Amount } from '../components/amount.tsx'
import { Dialog } from '../components/dialog.tsx'
import { focus } from '../components/focus.ts'
import { useSignIn } from '../components/use-sign-in.tsx'
import * as queries from '../queries.ts'
import { useSession } from '../session.tsx'
import { executePurchase, type Purchase, totalOf } from './purchase.ts'
import { OutcomeActions, OutcomeMessage } from './purchase-outcome.tsx'

interface PurchaseDialogProps {
  purchase: Purchase
  onClose: () => void
}

const TITLES = { checkout: 'Buy', place: 'Order, pay later', pay: 'Pay' }

/** Asks the customer to confirm a purchase, executes it, and shows the outcome with the possible next actions. */
export function PurchaseDialog({ purchase: initialPurchase, onClose }: PurchaseDialogProps) {
  const { client } = useSession()
  const cache = useQueryClient()
  const [purchase, setPurchase] = useState(initialPurchase)
  const { mutate, data, isPending, reset } = useMutation({
    mutationFn: (purchase: Purchase) => executePurchase(client, purchase),
    // Not awaited, so that the outcome is shown at once.
    onSettled: () => void cache.invalidateQueries(),
  })
  const send = (purchase: Purchase) => {
    setPurchase(purchase)
    mutate(purchase)
  }
  // After a sign-in the customer confirms again, because another user may have signed in.
  const [mustConfirmAgain, setMustConfirmAgain] = useState(false)
  const signIn = useSignIn(() => {
    reset()
    setMustConfirmAgain(true)
  })
  if (signIn.dialog) return signIn.dialog
  const outcome = isPending ? undefined : data
  const isDone = outcome?.kind === 'paid' || outcome?.kind === 'placed'
  return (
    <Dialog title={isDone ? 'Thank you' : TITLES[purchase.kind]} onClose={onClose} isBusy={isPending}>
      {!isDone && <Bill purchase={purchase} />}
      <div className="outcome" role="status" aria-live="polite">
        {outcome && <OutcomeMessage outcome={outcome} />}
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
            ref={mustConfirmAgain ? focus : null}
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
  if (purchase.kind === 'place') return 'Place order'
  return (
    <>
      Pay <Amount value={totalOf(purchase)} />
    </>
  )
}

/** The total, the current balance and the balance afterwards. */
function Bill({ purchase }: { purchase: Purchase }) {
  const { client, user } = useSession()
  const { data } = useQuery({ ...queries.balance(client, user?.id ?? 0), enabled: user !== null })
  const total = totalOf(purchase)
  const remaining = data && data.balance - total
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
        <div className="bill-remaining" data-short={remaining !== undefined && remaining < 0}>
          <dt>{remaining !== undefined && remaining < 0 ? 'Points missing' : 'Balance afterwards'}</dt>
          <dd>{remaining === undefined ? '…' : <Amount value={Math.abs(remaining)} />}</dd>
        </div>
      )}
    </dl>
  )
}
