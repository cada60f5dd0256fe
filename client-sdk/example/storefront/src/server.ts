import { createClient } from '@pointwise/client-sdk'

export type Client = ReturnType<typeof createClient>

/** Somebody the page can act for. */
export interface User {
  id: number
  name: string
  token: string
}

const meta = (name: string) => document.querySelector<HTMLMetaElement>(`meta[name="${name}"]`)?.content

const serverUrl = new URL(meta('pointwise-server') ?? '/', location.href)

/** Where the API is explained, if the server that serves this page is the one it talks to. */
export const referencePath = serverUrl.origin === location.origin ? '/reference' : undefined

export function clientFor(token?: string): Client {
  return createClient({ url: serverUrl, token })
}

/** The users of a demonstration, of which only a server in embedded mode tells. */
export async function demoUsers(): Promise<User[]> {
  const path = meta('pointwise-users')
  if (!path) return []
  const response = await fetch(path)
  if (!response.ok) throw new Error(`The users of the demonstration were not told: ${response.status}.`)
  const { users } = (await response.json()) as { users: User[] }
  return users
}
