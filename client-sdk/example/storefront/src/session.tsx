import { useQueryClient } from '@tanstack/react-query'
import { createContext, type ReactNode, useContext, useEffect, useMemo, useState } from 'react'
import { type Client, clientFor, demoUsers, type User } from './api-client.ts'
import { refreshUser } from './queries.ts'

/** The key in the session storage, which each tab has for itself: two tabs can have two users. */
const STORAGE_KEY = 'pointwise-user'

interface Session {
  /** A client with the user's token, or without one. */
  client: Client
  user: User | null
  /** The demo users, between whom a visitor can switch. */
  users: User[]
  /** Whether the demo users are still being loaded. */
  isLoading: boolean
  switchUser: (user: User | null) => void
  /** Fetches new tokens for the demo users and keeps the current user. Returns false if there are no demo users. */
  renewTokens: () => Promise<boolean>
}

const SessionContext = createContext<Session | null>(null)

export function useSession(): Session {
  const session = useContext(SessionContext)
  if (!session) throw new Error('useSession must be called inside SessionProvider.')
  return session
}

export function SessionProvider({ children }: { children: ReactNode }) {
  const [users, setUsers] = useState<User[]>()
  const [user, setUser] = useState<User | null>(null)
  const cache = useQueryClient()

  const client = useMemo(() => clientFor(user?.token), [user?.token])

  useEffect(() => {
    let isUnmounted = false
    void demoUsers()
      .catch(() => [])
      .then((users) => {
        if (isUnmounted) return
        const stored = loadUser()
        setUser(users.length > 0 ? sameUser(users, stored) : stored)
        setUsers(users)
      })
    return () => {
      isUnmounted = true
    }
  }, [])

  // Queries that failed with the previous client may succeed with this one.
  useEffect(() => {
    if (client) void refreshUser(cache)
  }, [cache, client])

  const session = useMemo(
    (): Session => ({
      client,
      user,
      users: users ?? [],
      isLoading: users === undefined,
      switchUser(user) {
        storeUser(user)
        setUser(user)
      },
      async renewTokens() {
        if (!users?.length) return false
        const renewed = await demoUsers().catch(() => [])
        if (renewed.length > 0) {
          setUser((current) => sameUser(renewed, current))
          setUsers(renewed)
        }
        return true
      },
    }),
    [client, user, users],
  )
  return <SessionContext value={session}>{children}</SessionContext>
}

const sameUser = (users: User[], user: User | null) => users.find(({ id }) => id === user?.id) ?? users[0] ?? null

function loadUser(): User | null {
  try {
    return JSON.parse(sessionStorage.getItem(STORAGE_KEY) ?? 'null')
  } catch {
    return null
  }
}

function storeUser(user: User | null): void {
  try {
    sessionStorage.setItem(STORAGE_KEY, JSON.stringify(user))
  } catch {
    // Without storage, the user has to sign in again after a reload.
  }
}
