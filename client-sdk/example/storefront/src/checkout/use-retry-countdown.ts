import { useEffect, useEffectEvent, useState } from 'react'

/** Calls `retry` once after `afterMs` milliseconds, and returns the remaining seconds. */
export function useRetryCountdown(afterMs: number, retry: () => void): number {
  const [seconds, setSeconds] = useState(Math.ceil(afterMs / 1_000))
  const onDue = useEffectEvent(retry)
  useEffect(() => {
    const dueAt = performance.now() + afterMs
    const timer = setInterval(() => {
      const remainingMs = dueAt - performance.now()
      setSeconds(Math.max(0, Math.ceil(remainingMs / 1_000)))
      if (remainingMs > 0) return
      clearInterval(timer)
      onDue()
    }, 250)
    return () => clearInterval(timer)
  }, [afterMs])
  return seconds
}
