import { refusalOf } from '@pointwise/client-sdk'
import { isSignedOut, messageForError } from '../refusal-messages.ts'
import { Notice } from './icons.tsx'
import { useSignIn } from './use-sign-in.tsx'

/** Shown in place of data that could not be loaded. */
export function ErrorMessage({ error, retry }: { error: unknown; retry: () => void }) {
  const signIn = useSignIn()
  const { title, text } = messageForError(error)
  const action = isSignedOut(refusalOf(error))
    ? { label: 'Sign in again', run: signIn.begin }
    : { label: 'Try again', run: retry }
  return (
    <>
      <div className="failure" role="alert">
        <Notice />
        <div>
          <p className="failure-title">{title}</p>
          <p>{text}</p>
          <button type="button" className="button quiet" onClick={action.run}>
            {action.label}
          </button>
        </div>
      </div>
      {signIn.dialog}
    </>
  )
}
