import { refusalOf, safe } from '@pointwise/client-sdk'
import { useMutation, useQueryClient } from '@tanstack/react-query'
import { useState } from 'react'
import { useAnnounce } from '../components/announcer.tsx'
import { Dialog } from '../components/dialog.tsx'
import { useSignIn } from '../components/use-sign-in.tsx'
import { refreshUser } from '../queries.ts'
import { isSignedOut, messageForError } from '../refusal-messages.ts'
import { useSession } from '../session.tsx'

interface CancelOrderDialogProps {
  orderId: number
  onClose: () => void
}

export function CancelOrderDialog({ orderId, onClose }: CancelOrderDialogProps) {
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
  const message = error ? messageForError(error) : undefined
  return (
    <Dialog title={`Cancel order ${orderId}?`} onClose={onClose} isBusy={cancel.isPending}>
      <p>You have not paid for this order, so no points are returned. You can order again at any time.</p>
      <div className="outcome" role="status" aria-live="polite">
        {message && (
          <div className="outcome-message" data-outcome="problem">
            <div>
              <p className="outcome-title">{message.title}</p>
              <p>{message.text}</p>
            </div>
          </div>
        )}
      </div>
      <div className="actions">
        {!message && (
          <button
            type="button"
            className="button large danger"
            aria-disabled={cancel.isPending}
            onClick={() => cancel.isPending || cancel.mutate()}
          >
            Cancel order
          </button>
        )}
        {isSignedOut(refusalOf(error)) && (
          <button type="button" className="button large" onClick={signIn.begin}>
            Sign in again
          </button>
        )}
        <button type="button" className="button large quiet" disabled={cancel.isPending} onClick={onClose}>
          {message ? 'Close' : 'Keep order'}
        </button>
      </div>
    </Dialog>
  )
}
