import { isDecisive, newIdempotencyKey, OutcomeUnknownError, refusalOf, safe } from '@pointwise/client-sdk'
import { useMutation, useQueryClient } from '@tanstack/react-query'
import { type FormEvent, useId, useRef, useState } from 'react'
import { useSignIn } from '../parts/use-sign-in.tsx'
import { refreshUser } from '../queries.ts'
import { useSession } from '../session.tsx'
import { count, isSignedOut, points, STILL_IN_DOUBT, type Words, wordsForError } from '../words.ts'

const AMOUNTS = [1_000, 5_000, 10_000, 50_000]

interface Charge {
  amount: number
  idempotencyKey: string
  /** An earlier try may have gone through. */
  isInDoubt: boolean
}

interface Result extends Words {
  isInDoubt?: boolean
  isSignedOut?: boolean
}

/** Has a key of its own from then on: however often it is sent, it is charged once. */
const asked = (amount: string) => ({ amount, idempotencyKey: newIdempotencyKey() })

export function ChargeForm() {
  const { client } = useSession()
  const cache = useQueryClient()
  const [{ amount, idempotencyKey }, setAsked] = useState(() => asked(''))
  const id = useId()
  const { mutate, data, isPending, reset } = useMutation({
    async mutationFn({ isInDoubt, ...charge }: Charge): Promise<Result> {
      const [charged, error] = await safe(client.points.charge.mutate(charge))
      void refreshUser(cache)
      if (!error) {
        setAsked(asked(''))
        return { title: `Charged ${points(charged.amount)}`, text: `Your balance is now ${count(charged.balance)}.` }
      }
      const words = wordsForError(error)
      if (error instanceof OutcomeUnknownError) return { ...words, isInDoubt: true }
      const refusal = refusalOf(error)
      const isSettled = !isInDoubt || (refusal && isDecisive(refusal))
      return {
        ...words,
        ...(!isSettled && { text: STILL_IN_DOUBT, isInDoubt }),
        isSignedOut: isSignedOut(refusal),
      }
    },
  })
  const isInDoubt = data?.isInDoubt ?? false
  // Another amount would be another charge, beside the one of which it is not known yet how it went.
  const isFixed = isPending || isInDoubt
  const setAmount = (amount: string) => {
    reset()
    setAsked(asked(amount))
  }
  const submit = (event: FormEvent) => {
    event.preventDefault()
    const whole = Number(amount)
    if (!isPending && Number.isSafeInteger(whole) && whole >= 1) {
      mutate({ amount: whole, idempotencyKey, isInDoubt })
    }
  }
  const input = useRef<HTMLInputElement>(null)
  const signIn = useSignIn(() => {
    // What is in doubt stays so until it is found out.
    if (isInDoubt) return
    reset()
    input.current?.focus()
  })
  return (
    <>
      <form className="charge" onSubmit={submit}>
        <div className="field">
          <label htmlFor={id}>Charge points</label>
          <div className="charge-line">
            <input
              ref={input}
              id={id}
              inputMode="numeric"
              autoComplete="off"
              placeholder="How many"
              readOnly={isFixed}
              value={amount}
              onChange={({ target }) => setAmount(target.value.replace(/\D/g, '').slice(0, 9))}
            />
            <button type="submit" className="button" aria-disabled={isPending || amount === ''}>
              {isPending ? 'One moment…' : isInDoubt ? 'Find out' : 'Charge'}
            </button>
          </div>
        </div>
        <fieldset className="chips" disabled={isFixed}>
          <legend className="unseen">Usual amounts</legend>
          {AMOUNTS.map((usual) => (
            <button
              key={usual}
              type="button"
              className="chip"
              aria-pressed={amount === String(usual)}
              onClick={() => setAmount(String(usual))}
            >
              {count(usual)}
            </button>
          ))}
        </fieldset>
        <div className="charge-result" role="status" aria-live="polite">
          {data ? (
            <p>
              <strong>{data.title}.</strong> {data.text}
            </p>
          ) : (
            <p className="hint">They are yours at once, to the last point.</p>
          )}
        </div>
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
