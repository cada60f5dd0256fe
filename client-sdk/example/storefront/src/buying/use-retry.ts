import { useEffect, useEffectEvent, useState } from 'react'

/** Calls `retry` once, when that long has passed; returns the seconds that are left. */
export function useRetry(afterMs: number, retry: () => void): number {
  const [seconds, setSeconds] = useState(Math.ceil(afterMs / 1_000))
  const due = useEffectEvent(retry)
  useEffect(() => {
    const at = performance.now() + afterMs
    const timer = setInterval(() => {
      const leftMs = at - performance.now()
      setSeconds(Math.max(0, Math.ceil(leftMs / 1_000)))
      if (leftMs > 0) return
      clearInterval(timer)
      due()
    }, 250)
    return () => clearInterval(timer)
  }, [afterMs])
  return seconds
}
