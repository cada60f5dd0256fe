import { createClient } from '@pointwise/client-sdk'

export type Client = ReturnType<typeof createClient>

/** A user with an access token. */
export interface User {
  id: number
  name: string
  token: string
}

const meta = (name: string) => document.querySelector<HTMLMetaElement>(`meta[name="${name}"]`)?.content

const serverUrl = new URL(meta('pointwise-server') ?? '/', location.href)

/** The path of the API reference, if the page comes from the server of the API. */
export const referencePath = serverUrl.origin === location.origin ? '/reference' : undefined

/** A customer sees soon that an outcome is unknown, and can check it again. */
const PATIENCE = { timeoutMs: 15_000, attemptTimeoutMs: 4_000 }

export function clientFor(token?: string): Client {
  return createClient({ url: serverUrl, token, ...PATIENCE })
}

/** The demo users, which only a server in embedded mode offers. */
export async function demoUsers(): Promise<User[]> {
  const path = meta('pointwise-users')
  if (!path) return []
  const response = await fetch(path)
  if (!response.ok)
    throw new Error(`The demo users could not be loaded: ${path} responded with status ${response.status}.`)
  const { users } = (await response.json()) as { users: User[] }
  return users
}
