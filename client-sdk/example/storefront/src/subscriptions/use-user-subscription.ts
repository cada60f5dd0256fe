import { useQueryClient } from '@tanstack/react-query'
import { useEffect } from 'react'
import { refreshUser } from '../queries.ts'
import { useSession } from '../session.tsx'
import { poll, subscribeToUser } from './subscribe.ts'

const DEBOUNCE_MS = 50

/**
 * Refreshes the user's data when it changes on the server. One tab subscribes and notifies the others, because over HTTP/1.1 a
 * browser opens at most six connections to a server, and each subscription needs one.
 */
export function useUserSubscription(): void {
  const { client, user } = useSession()
  const cache = useQueryClient()
  const userId = user?.id
  useEffect(() => {
    if (!userId) return
    const controller = new AbortController()
    const { signal } = controller
    const refresh = debounced(() => void refreshUser(cache, userId))
    // Browsers do not provide locks on pages that were loaded over plain http from another machine.
    if (!navigator.locks) {
      void poll(signal, refresh)
      return () => controller.abort()
    }
    const name = `pointwise:user:${userId}`
    const tabs = new BroadcastChannel(name)
    tabs.addEventListener('message', refresh)
    const changed = () => {
      refresh()
      tabs.postMessage(null)
    }
    navigator.locks.request(name, { signal }, () => subscribeToUser(client, signal, changed)).catch(() => undefined)
    return () => {
      controller.abort()
      tabs.close()
    }
  }, [cache, client, userId])
}

/** Calls `action` once for all calls within a short time. */
function debounced(action: () => void): () => void {
  let isScheduled = false
  return () => {
    if (isScheduled) return
    isScheduled = true
    setTimeout(() => {
      isScheduled = false
      action()
    }, DEBOUNCE_MS)
  }
}
