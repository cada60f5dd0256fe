import { useSession } from '../session.tsx'
import { useSignIn } from './use-sign-in.tsx'

/** Shown in place of user data when no user is signed in. */
export function SignInPrompt({ purpose }: { purpose: string }) {
  const { isLoading } = useSession()
  const signIn = useSignIn()
  if (isLoading) return null
  return (
    <div className="empty">
      <p>Sign in {purpose}.</p>
      <button type="button" className="button" onClick={signIn.begin}>
        Sign in
      </button>
      {signIn.dialog}
    </div>
  )
}
