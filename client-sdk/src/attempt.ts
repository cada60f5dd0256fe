import { TRPCClientError } from '@trpc/client'
import type { Observable } from '@trpc/server/observable'
import type { AppRouter } from './app-router.ts'
import { isAmbiguous } from './classify-error.ts'
import { ConnectionError } from './response.ts'

/** How a try ended; `lost` when it failed and the call may have taken effect all the same. */
export type Attempt<Answer> = { answer: Answer } | { error: TRPCClientError<AppRouter>; lost: boolean }

/** Sends a call and takes its first answer, unless `timeoutMs` pass or `signal` is aborted before. */
export async function attempt<Answer>(
  call: Observable<Answer, TRPCClientError<AppRouter>>,
  { signal, timeoutMs }: { signal: AbortSignal; timeoutMs: number },
): Promise<Attempt<Answer>> {
  if (signal.aborted) return { error: TRPCClientError.from(signal.reason), lost: false }
  const over = new AbortController()
  try {
    return await new Promise((resolve) => {
      const lose = (cause: Error) => resolve({ error: TRPCClientError.from(cause), lost: true })
      const timer = setTimeout(() => lose(new ConnectionError(`No answer came within ${timeoutMs} ms.`)), timeoutMs)
      over.signal.addEventListener('abort', () => clearTimeout(timer))
      signal.addEventListener('abort', () => lose(signal.reason), { signal: over.signal })
      const sent = call.subscribe({
        next: (answer) => resolve({ answer }),
        error: (error) => resolve({ error, lost: isAmbiguous(error) }),
      })
      over.signal.addEventListener('abort', () => sent.unsubscribe())
    })
  } finally {
    over.abort()
  }
}

/** Resolves after `ms` milliseconds, or as soon as `signal` is aborted. */
export async function wait(ms: number, signal: AbortSignal): Promise<void> {
  if (signal.aborted) return
  await new Promise<void>((resolve) => {
    const end = () => {
      clearTimeout(timer)
      signal.removeEventListener('abort', end)
      resolve()
    }
    const timer = setTimeout(end, ms)
    signal.addEventListener('abort', end)
  })
}
