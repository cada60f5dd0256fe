import { refusalOf, safe } from '@pointwise/client-sdk'
import { useMutation, useQueryClient } from '@tanstack/react-query'
import { useState } from 'react'
import { useAnnounce } from '../parts/announcement.tsx'
import { Dialog } from '../parts/dialog.tsx'
import { useSignIn } from '../parts/use-sign-in.tsx'
import { refreshUser } from '../queries.ts'
import { useSession } from '../session.tsx'
import { isSignedOut, wordsForError } from '../words.ts'

interface CancelDialogProps {
  orderId: number
  onClose: () => void
}

export function CancelDialog({ orderId, onClose }: CancelDialogProps) {
  const { client } = useSession()
  const cache = useQueryClient()
  const announce = useAnnounce()
  const [error, setError] = useState<unknown>()
  const signIn = useSignIn(() => setError(undefined))
  const cancel = useMutation({
    async mutationFn() {
      const [, error] = await safe(client.orders.cancel.mutate({ orderId }))
      void refreshUser(cache)
      if (error) return setError(error)
      announce(`Order ${orderId} is cancelled.`)
      onClose()
    },
  })
  if (signIn.dialog) return signIn.dialog
  const problem = error ? wordsForError(error) : undefined
  return (
    <Dialog title={`Cancel order ${orderId}?`} onClose={onClose} isBusy={cancel.isPending}>
      <p>It was not paid, so no points come back. You can order again at any time.</p>
      <div className="outcome" role="status" aria-live="polite">
        {problem && (
          <div className="outcome-words" data-outcome="problem">
            <div>
              <p className="outcome-title">{problem.title}</p>
              <p>{problem.text}</p>
            </div>
          </div>
        )}
      </div>
      <div className="actions">
        {!problem && (
          <button
            type="button"
            className="button large danger"
            aria-disabled={cancel.isPending}
            onClick={() => cancel.isPending || cancel.mutate()}
          >
            Cancel the order
          </button>
        )}
        {isSignedOut(refusalOf(error)) && (
          <button type="button" className="button large" onClick={signIn.begin}>
            Sign in again
          </button>
        )}
        <button type="button" className="button large quiet" disabled={cancel.isPending} onClick={onClose}>
          {problem ? 'Close' : 'Keep it'}
        </button>
      </div>
    </Dialog>
  )
}
