import { TRPCClientError } from '@trpc/client'
import type { Observable } from '@trpc/server/observable'
import type { AppRouter } from './app-router.ts'
import { isAmbiguous } from './classify-error.ts'
import { ConnectionError } from './response.ts'

/** The outcome of one attempt. A failed attempt is ambiguous if the call may have taken effect nevertheless. */
export type Attempt<Result> = { result: Result } | { error: TRPCClientError<AppRouter>; isAmbiguous: boolean }

/** Sends a call and resolves with its first result or its error, at the latest after `timeoutMs` or an abort of `signal`. */
export async function attempt<Result>(
  call: Observable<Result, TRPCClientError<AppRouter>>,
  { signal, timeoutMs }: { signal: AbortSignal; timeoutMs: number },
): Promise<Attempt<Result>> {
  if (signal.aborted) return { error: TRPCClientError.from(signal.reason), isAmbiguous: false }
  const finished = new AbortController()
  try {
    return await new Promise((resolve) => {
      const interrupt = (cause: Error) => resolve({ error: TRPCClientError.from(cause), isAmbiguous: true })
      const onTimeout = () => interrupt(new ConnectionError(`The server did not respond within ${timeoutMs} ms.`))
      const timer = setTimeout(onTimeout, timeoutMs)
      finished.signal.addEventListener('abort', () => clearTimeout(timer))
      signal.addEventListener('abort', () => interrupt(signal.reason), { signal: finished.signal })
      const subscription = call.subscribe({
        next: (result) => resolve({ result }),
        error: (error) => resolve({ error, isAmbiguous: isAmbiguous(error) }),
      })
      finished.signal.addEventListener('abort', () => subscription.unsubscribe())
    })
  } finally {
    finished.abort()
  }
}

/** Resolves after `ms` milliseconds, or as soon as `signal` is aborted. */
export async function wait(ms: number, signal: AbortSignal): Promise<void> {
  if (signal.aborted) return
  await new Promise<void>((resolve) => {
    const finish = () => {
      clearTimeout(timer)
      signal.removeEventListener('abort', finish)
      resolve()
    }
    const timer = setTimeout(finish, ms)
    signal.addEventListener('abort', finish)
  })
}
