import { createContext, type ReactNode, useContext, useEffect, useMemo, useState } from 'react'
import { type Client, clientFor, demoUsers, type User } from './server.ts'

/** Of the tab, so that two tabs can be two customers. */
const KEPT_AS = 'pointwise-user'

interface Session {
  /** Acts for the user, or for nobody. */
  client: Client
  user: User | null
  /** Those between whom a visitor of the demonstration may switch. */
  users: User[]
  /** Not known yet who the visitor is. */
  isOpening: boolean
  become: (user: User | null) => void
}

const SessionContext = createContext<Session | null>(null)

export function useSession(): Session {
  const session = useContext(SessionContext)
  if (!session) throw new Error('There is no session around this.')
  return session
}

export function SessionProvider({ children }: { children: ReactNode }) {
  const [users, setUsers] = useState<User[]>()
  const [user, setUser] = useState<User | null>(null)

  useEffect(() => {
    let isOver = false
    demoUsers()
      .catch(() => [])
      .then((users) => {
        if (isOver) return
        const kept = keptUser()
        setUser(users.length > 0 ? (users.find(({ id }) => id === kept?.id) ?? users[0] ?? null) : kept)
        setUsers(users)
      })
    return () => {
      isOver = true
    }
  }, [])

  const session = useMemo(
    (): Session => ({
      client: clientFor(user?.token),
      user,
      users: users ?? [],
      isOpening: users === undefined,
      become(user) {
        keep(user)
        setUser(user)
      },
    }),
    [user, users],
  )
  return <SessionContext value={session}>{children}</SessionContext>
}

function keptUser(): User | null {
  try {
    return JSON.parse(sessionStorage.getItem(KEPT_AS) ?? 'null')
  } catch {
    return null
  }
}

function keep(user: User | null): void {
  try {
    sessionStorage.setItem(KEPT_AS, JSON.stringify(user))
  } catch {
    // It is asked for again after the next reload.
  }
}
