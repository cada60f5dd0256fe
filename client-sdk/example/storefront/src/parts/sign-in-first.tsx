import { useSession } from '../session.tsx'
import { useSignIn } from './use-sign-in.tsx'

/** In place of what belongs to somebody, where nobody is signed in. */
export function SignInFirst({ to }: { to: string }) {
  const { isOpening } = useSession()
  const signIn = useSignIn()
  if (isOpening) return null
  return (
    <div className="empty">
      <p>Sign in {to}.</p>
      <button type="button" className="button" onClick={signIn.begin}>
        Sign in
      </button>
      {signIn.dialog}
    </div>
  )
}
