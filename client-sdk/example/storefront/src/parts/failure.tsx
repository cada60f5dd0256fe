import { refusalOf } from '@pointwise/client-sdk'
import { isSignedOut, wordsForError } from '../words.ts'
import { Notice } from './icons.tsx'
import { useSignIn } from './use-sign-in.tsx'

/** Tells that something could not be read, where it would have been. */
export function Failure({ error, retry }: { error: unknown; retry: () => void }) {
  const signIn = useSignIn()
  const { title, text } = wordsForError(error)
  const helps = isSignedOut(refusalOf(error))
    ? { label: 'Sign in again', act: signIn.begin }
    : { label: 'Try again', act: retry }
  return (
    <>
      <div className="failure" role="alert">
        <Notice />
        <div>
          <p className="failure-title">{title}</p>
          <p>{text}</p>
          <button type="button" className="button quiet" onClick={helps.act}>
            {helps.label}
          </button>
        </div>
      </div>
      {signIn.dialog}
    </>
  )
}
