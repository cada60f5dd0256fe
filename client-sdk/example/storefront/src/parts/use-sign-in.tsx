import { type ReactNode, useState } from 'react'
import { useSession } from '../session.tsx'
import { SignInDialog } from './sign-in.tsx'

interface SignIn {
  /** Goes on at once where there are users to choose from, with new tokens; elsewhere the dialog asks for one. */
  begin: () => Promise<void>
  /** To be shown, while it asks. */
  dialog: ReactNode
}

/** Lets the visitor sign in, for the first time or again; `onEnd` is called when they have, or do not want to. */
export function useSignIn(onEnd: () => void = () => undefined): SignIn {
  const { renew } = useSession()
  const [isAsking, setAsking] = useState(false)
  const end = () => {
    setAsking(false)
    onEnd()
  }
  return {
    begin: async () => ((await renew()) ? onEnd() : setAsking(true)),
    dialog: isAsking && <SignInDialog onClose={end} />,
  }
}
