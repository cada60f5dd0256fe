import { useState } from 'react'
import { useSession } from '../session.tsx'
import { SignInDialog } from './sign-in.tsx'

/** In place of what belongs to somebody, where nobody is signed in. */
export function SignInFirst({ to }: { to: string }) {
  const { isOpening } = useSession()
  const [isAsking, setAsking] = useState(false)
  if (isOpening) return null
  return (
    <div className="empty">
      <p>Sign in {to}.</p>
      <button type="button" className="button" onClick={() => setAsking(true)}>
        Sign in
      </button>
      {isAsking && <SignInDialog onClose={() => setAsking(false)} />}
    </div>
  )
}
