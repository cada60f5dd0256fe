import { safe } from '@pointwise/client-sdk'
import { useMutation } from '@tanstack/react-query'
import { type FormEvent, useId, useState } from 'react'
import { clientFor } from '../api-client.ts'
import { type Message, messageForError } from '../refusal-messages.ts'
import { useSession } from '../session.tsx'
import { Dialog } from './dialog.tsx'

/** Asks for an access token. Shown unless the server offers demo users. */
export function SignInDialog({ onClose }: { onClose: () => void }) {
  const { switchUser } = useSession()
  const [message, setMessage] = useState<Message>()
  const id = useId()
  const signIn = useMutation({
    async mutationFn(token: string) {
      const [me, error] = await safe(clientFor(token).users.me.query())
      if (error) return setMessage(messageForError(error))
      switchUser({ id: me.id, name: me.name, token })
      onClose()
    },
  })
  const submit = (event: FormEvent<HTMLFormElement>) => {
    event.preventDefault()
    const token = String(new FormData(event.currentTarget).get('token')).trim()
    if (token) signIn.mutate(token)
  }
  return (
    <Dialog title="Sign in" onClose={onClose} isBusy={signIn.isPending}>
      <form className="stack" onSubmit={submit}>
        <div className="field">
          <label htmlFor={id}>Token</label>
          <textarea
            id={id}
            name="token"
            rows={4}
            spellCheck={false}
            autoComplete="off"
            aria-describedby={`${id}-hint`}
          />
          <p className="hint" id={`${id}-hint`}>
            Paste the token from your identity provider. It is stored in this tab only.
          </p>
        </div>
        <div role="alert">{message && <p className="problem">{message.title}.</p>}</div>
        <div className="actions">
          <button type="submit" className="button" disabled={signIn.isPending}>
            Sign in
          </button>
        </div>
      </form>
    </Dialog>
  )
}
