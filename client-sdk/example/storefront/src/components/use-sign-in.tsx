import { type ReactNode, useState } from 'react'
import { useSession } from '../session.tsx'
import { SignInDialog } from './sign-in-dialog.tsx'

interface SignIn {
  /** Renews the tokens of the demo users if there are any; otherwise opens the dialog. */
  begin: () => Promise<void>
  /** The dialog to render while it is open. */
  dialog: ReactNode
}

/** Lets the user sign in. `onEnd` is called when the user has signed in or closed the dialog. */
export function useSignIn(onEnd: () => void = () => undefined): SignIn {
  const { renewTokens } = useSession()
  const [isOpen, setOpen] = useState(false)
  const end = () => {
    setOpen(false)
    onEnd()
  }
  return {
    begin: async () => ((await renewTokens()) ? onEnd() : setOpen(true)),
    dialog: isOpen && <SignInDialog onClose={end} />,
  }
}
