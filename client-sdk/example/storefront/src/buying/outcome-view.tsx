import { Amount } from '../parts/amount.tsx'
import { focus } from '../parts/focus.ts'
import { Check, Notice } from '../parts/icons.tsx'
import { Link } from '../route.tsx'
import { points, STILL_IN_DOUBT, type Words, wordsFor, wordsForError } from '../words.ts'
import type { Outcome, Purchase } from './purchase.ts'
import { type Remedy, remedyFor } from './remedy.ts'
import { useRetry } from './use-retry.ts'

/** What came of it, in words. */
export function OutcomeWords({ outcome }: { outcome: Outcome }) {
  const isDone = outcome.kind === 'paid' || outcome.kind === 'placed'
  const { title, text } = wordsOf(outcome)
  return (
    <div className="outcome-words" data-outcome={isDone ? 'done' : 'problem'}>
      {isDone ? <Check /> : <Notice />}
      <div>
        <p className="outcome-title">{title}</p>
        <p>{text}</p>
        {outcome.kind === 'paid' && (
          <p>
            <Amount value={outcome.balance} /> are left.
          </p>
        )}
      </div>
    </div>
  )
}

function wordsOf(outcome: Outcome): Words {
  switch (outcome.kind) {
    case 'paid':
      return {
        title: outcome.replayed ? 'It had gone through' : 'Paid',
        text: `Order ${outcome.orderId} is yours.${outcome.replayed ? ' It was paid once.' : ''}`,
      }
    case 'placed':
      return {
        title: outcome.replayed ? 'It had gone through' : 'Ordered',
        text: `Order ${outcome.orderId} waits to be paid. Its price is kept; its pieces are not.`,
      }
    case 'refused':
      return {
        ...wordsFor(outcome.refusal),
        ...(outcome.charged && { text: `Your balance grew by ${points(outcome.charged)}. Nothing was bought.` }),
        ...(outcome.again.isInDoubt && { text: STILL_IN_DOUBT }),
      }
    case 'unknown':
      return {
        title: 'We do not know yet whether it went through',
        text: 'The connection broke before the answer came. Asking again is safe: it carries the same key, and nothing is taken twice.',
      }
    case 'failed':
      return wordsForError(outcome.error)
  }
}

interface OutcomeActionsProps {
  outcome: Outcome
  send: (purchase: Purchase) => void
  signIn: (purchase: Purchase) => void
  onClose: () => void
}

/** The ways on. */
export function OutcomeActions({ outcome, send, signIn, onClose }: OutcomeActionsProps) {
  if (outcome.kind === 'paid' || outcome.kind === 'placed') {
    return (
      <div className="actions">
        <button ref={focus} type="button" className="button large" onClick={onClose}>
          Go on shopping
        </button>
        <Link className="button large quiet" href="/orders" onFollowed={onClose}>
          See your orders
        </Link>
      </div>
    )
  }
  const remedy: Remedy | undefined =
    outcome.kind === 'refused'
      ? remedyFor(outcome)
      : { label: outcome.kind === 'unknown' ? 'Find out' : 'Try again', purchase: outcome.again }
  return (
    <>
      {outcome.kind === 'refused' && outcome.refusal.retry === 'same-key' && (
        <Retry afterMs={outcome.refusal.afterMs} retry={() => send(outcome.again)} />
      )}
      <div className="actions">
        {remedy && (
          <button
            ref={focus}
            type="button"
            className="button large"
            onClick={() => (remedy.needsSignIn ? signIn : send)(remedy.purchase)}
          >
            {remedy.label}
          </button>
        )}
        <button ref={remedy ? null : focus} type="button" className="button large quiet" onClick={onClose}>
          {remedy ? 'Not now' : 'Close'}
        </button>
      </div>
    </>
  )
}

function Retry({ afterMs, retry }: { afterMs: number; retry: () => void }) {
  const seconds = useRetry(afterMs, retry)
  return <p className="hint">{seconds > 0 ? `Trying again in ${seconds} s…` : 'Trying again…'}</p>
}
