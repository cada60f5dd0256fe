import { Amount } from '../components/amount.tsx'
import { focus } from '../components/focus.ts'
import { Check, Notice } from '../components/icons.tsx'
import { formatPoints } from '../format.ts'
import { type Message, messageForError, refusalMessage, STILL_UNKNOWN_TEXT } from '../refusal-messages.ts'
import { Link } from '../router.tsx'
import type { Outcome, Purchase } from './purchase.ts'
import { type SuggestedAction, suggestedActionFor } from './suggested-action.ts'
import { useRetryCountdown } from './use-retry-countdown.ts'

/** The outcome of a purchase as a text. */
export function OutcomeMessage({ outcome }: { outcome: Outcome }) {
  const isDone = outcome.kind === 'paid' || outcome.kind === 'placed'
  const { title, text } = outcomeMessage(outcome)
  return (
    <div className="outcome-message" data-outcome={isDone ? 'done' : 'problem'}>
      {isDone ? <Check /> : <Notice />}
      <div>
        <p className="outcome-title">{title}</p>
        <p>{text}</p>
        {outcome.kind === 'paid' && (
          <p>
            Your balance is now <Amount value={outcome.balance} />.
          </p>
        )}
      </div>
    </div>
  )
}

function outcomeMessage(outcome: Outcome): Message {
  switch (outcome.kind) {
    case 'paid':
      return {
        title: outcome.replayed ? 'Your payment went through' : 'Paid',
        text: `Order ${outcome.orderId} is yours.${outcome.replayed ? ' You paid once.' : ''}`,
      }
    case 'placed':
      return {
        title: outcome.replayed ? 'Your order went through' : 'Order placed',
        text: `Order ${outcome.orderId} is waiting for payment. Its price is fixed, but its products are not reserved.`,
      }
    case 'refused':
      return {
        ...refusalMessage(outcome.refusal),
        ...(outcome.chargedAmount && {
          text: `We added ${formatPoints(outcome.chargedAmount)} to your balance. Nothing was bought.`,
        }),
        ...(outcome.retry.isOutcomeUnknown && { text: STILL_UNKNOWN_TEXT }),
      }
    case 'unknown':
      return {
        title: 'We do not know yet whether it went through',
        text: 'The connection was lost before the shop responded. You can safely check: you will not pay twice.',
      }
    case 'failed':
      return messageForError(outcome.error)
  }
}

interface OutcomeActionsProps {
  outcome: Outcome
  send: (purchase: Purchase) => void
  signIn: (purchase: Purchase) => void
  onClose: () => void
}

/** The buttons below the outcome: what the customer can do next. */
export function OutcomeActions({ outcome, send, signIn, onClose }: OutcomeActionsProps) {
  if (outcome.kind === 'paid' || outcome.kind === 'placed') {
    return (
      <div className="actions">
        <button ref={focus} type="button" className="button large" onClick={onClose}>
          Continue shopping
        </button>
        <Link className="button large quiet" href="/orders" onNavigated={onClose}>
          See your orders
        </Link>
      </div>
    )
  }
  const action: SuggestedAction | undefined =
    outcome.kind === 'refused'
      ? suggestedActionFor(outcome)
      : { label: outcome.kind === 'unknown' ? 'Check now' : 'Try again', purchase: outcome.retry }
  return (
    <>
      {outcome.kind === 'refused' && outcome.refusal.retry === 'same-key' && (
        <RetryCountdown afterMs={outcome.refusal.afterMs} retry={() => send(outcome.retry)} />
      )}
      <div className="actions">
        {action && (
          <button
            ref={focus}
            type="button"
            className="button large"
            onClick={() => (action.requiresSignIn ? signIn : send)(action.purchase)}
          >
            {action.label}
          </button>
        )}
        <button ref={action ? null : focus} type="button" className="button large quiet" onClick={onClose}>
          {action ? 'Not now' : 'Close'}
        </button>
      </div>
    </>
  )
}

function RetryCountdown({ afterMs, retry }: { afterMs: number; retry: () => void }) {
  const seconds = useRetryCountdown(afterMs, retry)
  return <p className="hint">{seconds > 0 ? `Trying again in ${seconds} s…` : 'Trying again…'}</p>
}
