import { safe } from '@pointwise/client-sdk'
import { useMutation } from '@tanstack/react-query'
import { type FormEvent, useId, useState } from 'react'
import { clientFor } from '../server.ts'
import { useSession } from '../session.tsx'
import { type Words, wordsForError } from '../words.ts'
import { Dialog } from './dialog.tsx'

/** Where the server has no users to offer: the token that an identity provider gave. */
export function SignInDialog({ onClose }: { onClose: () => void }) {
  const { become } = useSession()
  const [problem, setProblem] = useState<Words>()
  const id = useId()
  const signIn = useMutation({
    async mutationFn(token: string) {
      const [me, error] = await safe(clientFor(token).users.me.query())
      if (error) return setProblem(wordsForError(error))
      become({ id: me.id, name: me.name, token })
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
            The one that your identity provider gave you. It stays in this tab.
          </p>
        </div>
        <div role="alert">{problem && <p className="problem">{problem.title}.</p>}</div>
        <div className="actions">
          <button type="submit" className="button" disabled={signIn.isPending}>
            Sign in
          </button>
        </div>
      </form>
    </Dialog>
  )
}
