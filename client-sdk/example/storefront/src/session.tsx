import { useQueryClient } from '@tanstack/react-query'
import { createContext, type ReactNode, useContext, useEffect, useMemo, useState } from 'react'
import { refreshUser } from './queries.ts'
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
  /** Fetches new tokens for the users of the demonstration, of whom the visitor stays the same; false where there are none. */
  renew: () => Promise<boolean>
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
  const cache = useQueryClient()

  const client = useMemo(() => clientFor(user?.token), [user?.token])

  useEffect(() => {
    let isOver = false
    void demoUsers()
      .catch(() => [])
      .then((users) => {
        if (isOver) return
        const kept = keptUser()
        setUser(users.length > 0 ? sameOf(users, kept) : kept)
        setUsers(users)
      })
    return () => {
      isOver = true
    }
  }, [])

  // What was refused to the client before is asked of this one.
  useEffect(() => {
    if (client) void refreshUser(cache)
  }, [cache, client])

  const session = useMemo(
    (): Session => ({
      client,
      user,
      users: users ?? [],
      isOpening: users === undefined,
      become(user) {
        keep(user)
        setUser(user)
      },
      async renew() {
        if (!users?.length) return false
        const renewed = await demoUsers().catch(() => [])
        if (renewed.length > 0) {
          setUser((current) => sameOf(renewed, current))
          setUsers(renewed)
        }
        return true
      },
    }),
    [client, user, users],
  )
  return <SessionContext value={session}>{children}</SessionContext>
}

const sameOf = (users: User[], user: User | null) => users.find(({ id }) => id === user?.id) ?? users[0] ?? null

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
