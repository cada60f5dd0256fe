import { useQueryClient } from '@tanstack/react-query'
import { useEffect } from 'react'
import { refreshUser } from '../queries.ts'
import { useSession } from '../session.tsx'
import { followUser, lookNowAndThen } from './follow.ts'

const TOGETHER_MS = 50

/**
 * Keeps what belongs to the user as it is on the server. One tab follows for all of them: over HTTP/1.1 a browser opens no
 * more than six connections to a server, and each stream is one.
 */
export function useLiveUser(): void {
  const { client, user } = useSession()
  const cache = useQueryClient()
  const userId = user?.id
  useEffect(() => {
    if (!userId) return
    const { signal, ...stopping } = stopper()
    const refresh = soonOnce(() => void refreshUser(cache, userId))
    // Browsers keep locks from pages that were loaded over plain http from another machine.
    if (!navigator.locks) {
      void lookNowAndThen(signal, refresh)
      return stopping.stop
    }
    const name = `pointwise:user:${userId}`
    const tabs = new BroadcastChannel(name)
    tabs.addEventListener('message', refresh)
    const changed = () => {
      refresh()
      tabs.postMessage(null)
    }
    navigator.locks.request(name, { signal }, () => followUser(client, signal, changed)).catch(() => undefined)
    return () => {
      stopping.stop()
      tabs.close()
    }
  }, [cache, client, userId])
}

/** What changes together is read anew together. */
function soonOnce(act: () => void): () => void {
  let isDue = false
  return () => {
    if (isDue) return
    isDue = true
    setTimeout(() => {
      isDue = false
      act()
    }, TOGETHER_MS)
  }
}

function stopper() {
  const controller = new AbortController()
  return { signal: controller.signal, stop: () => controller.abort() }
}
