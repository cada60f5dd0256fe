import { isDecisive, OutcomeUnknownError, refusalOf, safe } from '@pointwise/client-sdk'
import { useMutation, useQueryClient } from '@tanstack/react-query'
import { type FormEvent, useId, useRef, useState } from 'react'
import { useSignIn } from '../parts/use-sign-in.tsx'
import { refreshUser } from '../queries.ts'
import { useSession } from '../session.tsx'
import { count, isSignedOut, points, STILL_IN_DOUBT, type Words, wordsForError } from '../words.ts'

const AMOUNTS = [1_000, 5_000, 10_000, 50_000]

interface Charge {
  amount: number
  idempotencyKey?: string | undefined
}

interface Result extends Words {
  /** What to send to find out how it went. */
  again?: Charge
  isSignedOut?: boolean
}

export function ChargeForm() {
  const { client } = useSession()
  const cache = useQueryClient()
  const [amount, setAmount] = useState('')
  const id = useId()
  const { mutate, data, isPending, reset } = useMutation({
    async mutationFn(charge: Charge): Promise<Result> {
      const [charged, error] = await safe(client.points.charge.mutate(charge))
      await refreshUser(cache)
      if (!error) {
        setAmount('')
        return { title: `Charged ${points(charged.amount)}`, text: `Your balance is now ${count(charged.balance)}.` }
      }
      const words = wordsForError(error)
      if (error instanceof OutcomeUnknownError) {
        return { ...words, again: { ...charge, idempotencyKey: error.idempotencyKey } }
      }
      const refusal = refusalOf(error)
      const isInDoubt = charge.idempotencyKey !== undefined && !(refusal && isDecisive(refusal))
      return {
        ...words,
        ...(isInDoubt && { text: STILL_IN_DOUBT, again: charge }),
        isSignedOut: isSignedOut(refusal),
      }
    },
  })
  const submit = (event: FormEvent) => {
    event.preventDefault()
    const whole = Number(amount)
    if (!isPending && Number.isSafeInteger(whole) && whole >= 1) mutate({ amount: whole })
  }
  const input = useRef<HTMLInputElement>(null)
  const signIn = useSignIn(() => {
    // What is in doubt stays so until it is found out.
    if (data?.again) return
    reset()
    input.current?.focus()
  })
  const again = data?.again
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
              value={amount}
              onChange={({ target }) => {
                reset()
                setAmount(target.value.replace(/\D/g, '').slice(0, 9))
              }}
            />
            <button type="submit" className="button" aria-disabled={isPending || amount === ''}>
              {isPending ? 'One moment…' : 'Charge'}
            </button>
          </div>
        </div>
        <fieldset className="chips">
          <legend className="unseen">Usual amounts</legend>
          {AMOUNTS.map((usual) => (
            <button
              key={usual}
              type="button"
              className="chip"
              aria-pressed={amount === String(usual)}
              onClick={() => {
                reset()
                setAmount(String(usual))
              }}
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
        {again && (
          <button type="button" className="button quiet" onClick={() => mutate(again)}>
            Find out
          </button>
        )}
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
