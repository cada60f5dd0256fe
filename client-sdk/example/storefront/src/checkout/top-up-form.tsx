import { isDecisive, newIdempotencyKey, OutcomeUnknownError, refusalOf, safe } from '@pointwise/client-sdk'
import { useMutation, useQueryClient } from '@tanstack/react-query'
import { type FormEvent, useId, useRef, useState } from 'react'
import { useSignIn } from '../components/use-sign-in.tsx'
import { formatNumber, formatPoints } from '../format.ts'
import { refreshUser } from '../queries.ts'
import { isSignedOut, type Message, messageForError, STILL_UNKNOWN_TEXT } from '../refusal-messages.ts'
import { useSession } from '../session.tsx'

const AMOUNTS = [1_000, 5_000, 10_000, 50_000]

interface Charge {
  amount: number
  idempotencyKey: string
  /** Whether an earlier attempt may have taken effect. */
  isOutcomeUnknown: boolean
}

interface Result extends Message {
  isOutcomeUnknown?: boolean
  isSignedOut?: boolean
}

/** A new charge with its own idempotency key: however often it is sent, it takes effect once. */
const newCharge = (amount: string) => ({ amount, idempotencyKey: newIdempotencyKey() })

/** `wasOutcomeUnknown`: whether an earlier attempt with the same key may have taken effect. */
function resultOfError(error: unknown, wasOutcomeUnknown: boolean): Result {
  const isUnknown = error instanceof OutcomeUnknownError
  const refusal = refusalOf(isUnknown ? error.cause : error)
  if (isUnknown && (!refusal || isDecisive(refusal))) return { ...messageForError(error), isOutcomeUnknown: true }
  const isSettled = !isUnknown && (!wasOutcomeUnknown || (refusal && isDecisive(refusal)))
  return {
    ...messageForError(isUnknown ? error.cause : error),
    ...(!isSettled && { text: STILL_UNKNOWN_TEXT, isOutcomeUnknown: true }),
    isSignedOut: isSignedOut(refusal),
  }
}

export function TopUpForm() {
  const { client } = useSession()
  const cache = useQueryClient()
  const [{ amount, idempotencyKey }, setCharge] = useState(() => newCharge(''))
  const id = useId()
  const { mutate, data, isPending, reset } = useMutation({
    async mutationFn({ isOutcomeUnknown, ...charge }: Charge): Promise<Result> {
      const [result, error] = await safe(client.points.charge.mutate(charge))
      void refreshUser(cache)
      if (error) return resultOfError(error, isOutcomeUnknown)
      setCharge(newCharge(''))
      const text = `Your balance is now ${formatNumber(result.balance)}.`
      return { title: `Added ${formatPoints(result.amount)}`, text }
    },
  })
  const isOutcomeUnknown = data?.isOutcomeUnknown ?? false
  // Another amount would be another charge, in addition to the one whose outcome is unknown.
  const isLocked = isPending || isOutcomeUnknown
  const setAmount = (amount: string) => {
    reset()
    setCharge(newCharge(amount))
  }
  const submit = (event: FormEvent) => {
    event.preventDefault()
    const points = Number(amount)
    if (!isPending && Number.isSafeInteger(points) && points >= 1) {
      mutate({ amount: points, idempotencyKey, isOutcomeUnknown })
    }
  }
  const input = useRef<HTMLInputElement>(null)
  const signIn = useSignIn(() => {
    // A sign-in does not change that the outcome is unknown.
    if (isOutcomeUnknown) return
    reset()
    input.current?.focus()
  })
  return (
    <>
      <form className="charge" onSubmit={submit}>
        <div className="field">
          <label htmlFor={id}>Top up points</label>
          <div className="charge-line">
            <input
              ref={input}
              id={id}
              inputMode="numeric"
              autoComplete="off"
              placeholder="Amount"
              readOnly={isLocked}
              value={amount}
              onChange={({ target }) => setAmount(target.value.replace(/\D/g, '').slice(0, 9))}
            />
            <button type="submit" className="button" aria-disabled={isPending || amount === ''}>
              {isPending ? 'One moment…' : isOutcomeUnknown ? 'Check now' : 'Top up'}
            </button>
          </div>
        </div>
        <SuggestedAmounts amount={amount} isLocked={isLocked} onSelect={setAmount} />
        <ChargeResult result={data} />
        {data?.isSignedOut && (
          <button type="button" className="button quiet" onClick={signIn.begin}>
            Sign in again
          </button>
        )}
      </form>
      {signIn.dialog}
    </>
  )
}

interface SuggestedAmountsProps {
  amount: string
  isLocked: boolean
  onSelect: (amount: string) => void
}

function SuggestedAmounts({ amount, isLocked, onSelect }: SuggestedAmountsProps) {
  return (
    <fieldset className="chips" disabled={isLocked}>
      <legend className="visually-hidden">Suggested amounts</legend>
      {AMOUNTS.map((suggested) => (
        <button
          key={suggested}
          type="button"
          className="chip"
          aria-pressed={amount === String(suggested)}
          onClick={() => onSelect(String(suggested))}
        >
          {formatNumber(suggested)}
        </button>
      ))}
    </fieldset>
  )
}

function ChargeResult({ result }: { result: Result | undefined }) {
  return (
    <div className="charge-result" role="status" aria-live="polite">
      {result ? (
        <p>
          <strong>{result.title}.</strong> {result.text}
        </p>
      ) : (
        <p className="hint">Points are added to your balance immediately.</p>
      )}
    </div>
  )
}
