import { type Operation, TRPCClientError } from '@trpc/client'
import type { Observable } from '@trpc/server/observable'
import type { AppRouter } from './app-router.ts'
import { isAmbiguous } from './classify-error.ts'
import { ConnectionError } from './response.ts'

/** The outcome of one attempt. A failed attempt is ambiguous if the call may have taken effect nevertheless. */
export type Attempt<Result> = { result: Result } | { error: TRPCClientError<AppRouter>; isAmbiguous: boolean }

/** Called when the request is about to be sent. Returns its additional headers, or undefined if the attempt is already over. */
type OnSend = () => Record<string, string> | undefined

interface AttemptOptions<Result> {
  next: (op: Operation) => Observable<Result, TRPCClientError<AppRouter>>
  signal: AbortSignal
  /** How long the token and the headers may take. */
  prepareTimeoutMs: number
  /** How long the response may take after the request was sent. */
  timeoutMs: number
  onSend: () => Record<string, string>
}

/** Sends a call and resolves with its first result or its error, at the latest after its timeout or an abort of `signal`. */
export async function attempt<Result>(
  op: Operation,
  { next, signal, prepareTimeoutMs, timeoutMs, onSend }: AttemptOptions<Result>,
): Promise<Attempt<Result>> {
  if (signal.aborted) return { error: TRPCClientError.from(signal.reason), isAmbiguous: false }
  const finished = new AbortController()
  let isSent = false
  try {
    return await new Promise((resolve) => {
      const interrupt = (cause: Error) => resolve({ error: TRPCClientError.from(cause), isAmbiguous: isSent })
      let timer = setTimeout(() => interrupt(preparationError(prepareTimeoutMs)), prepareTimeoutMs)
      const send: OnSend = () => {
        if (finished.signal.aborted) return undefined
        isSent = true
        clearTimeout(timer)
        timer = setTimeout(() => interrupt(timeoutError(timeoutMs)), timeoutMs)
        return onSend()
      }
      finished.signal.addEventListener('abort', () => clearTimeout(timer))
      signal.addEventListener('abort', () => interrupt(signal.reason), { signal: finished.signal })
      const subscription = next({ ...op, context: { ...op.context, [ON_SEND]: send } }).subscribe({
        next: (result) => resolve({ result }),
        error: (error) => resolve({ error, isAmbiguous: isSent && isAmbiguous(error) }),
      })
      finished.signal.addEventListener('abort', () => subscription.unsubscribe())
    })
  } finally {
    finished.abort()
  }
}

/** The key of `OnSend` in the context of an operation. */
const ON_SEND = 'onSend'

/**
 * Marks the attempts of these calls as sent and adds their headers. Called right before `fetch`.
 *
 * @throws ConnectionError if all attempts are over, so that nothing is sent
 */
export function markSent(ops: readonly Pick<Operation, 'context'>[], headers: Headers): Headers {
  const added = ops.map(({ context }) => (context[ON_SEND] as OnSend | undefined)?.())
  if (added.every((each) => each === undefined)) throw preparationError(0)
  for (const [name, value] of added.flatMap((each) => Object.entries(each ?? {}))) headers.set(name, value)
  return headers
}

const timeoutError = (ms: number) => new ConnectionError(`The server did not respond within ${ms} ms.`)

/** The error of a request that was not sent, because the options of the client did not provide its headers in time. */
export const preparationError = (ms: number) =>
  new ConnectionError(
    `The request was not sent: the functions "token" and "headers" of createClient did not return within ${ms} ms.`,
    { mayHaveArrived: false },
  )

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
