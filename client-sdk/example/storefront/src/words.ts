import {
  isTRPCClientError,
  OutcomeUnknownError,
  type Refusal,
  type RefusalCode,
  refusalOf,
} from '@pointwise/client-sdk'

const number = new Intl.NumberFormat('en')
const date = new Intl.DateTimeFormat('en', { dateStyle: 'medium', timeStyle: 'short' })

export const count = (value: number) => number.format(value)
export const points = (value: number) => `${count(value)} ${value === 1 ? 'point' : 'points'}`
export const pieces = (value: number) => (value === 1 ? '1 piece' : `${count(value)} pieces`)
export const day = (value: Date) => date.format(value)

export interface Words {
  title: string
  text: string
}

/** What a customer is told of a refusal: what happened, and that nothing else did. */
export function wordsFor(refusal: Refusal): Words {
  switch (refusal.code) {
    case 'price_changed':
      return {
        title: `The price is now ${points(refusal.actual)}`,
        text: `It was ${points(refusal.expected)} when you looked. Nothing was bought.`,
      }
    case 'points_insufficient':
      return {
        title: `You are ${points(refusal.required - refusal.balance)} short`,
        text: `This costs ${points(refusal.required)}, and you have ${count(refusal.balance)}. Nothing was taken.`,
      }
    case 'stock_insufficient':
      return refusal.available === 0
        ? { title: 'Sold out', text: 'The last one went while you were looking. Nothing was taken.' }
        : {
            title: `Only ${count(refusal.available)} left`,
            text: `You asked for ${pieces(refusal.requested)}. Nothing was bought.`,
          }
    case 'points_limit_exceeded':
      return {
        title: `A balance holds ${points(refusal.limit)} at most`,
        text:
          refusal.balance < refusal.limit
            ? `You have ${count(refusal.balance)}, so up to ${points(refusal.limit - refusal.balance)} more fit in. Nothing was charged.`
            : 'Yours is full. Nothing was charged.',
      }
    case 'service_busy':
      return { title: 'The shop is very busy', text: 'Nothing happened: no points were taken, nothing was ordered.' }
    case 'rate_limited':
      return { title: 'That was a lot at once', text: 'Nothing happened. Please wait a moment.' }
    case 'product_not_found':
      return { title: 'No longer sold', text: 'This product has left the shop. Nothing was bought.' }
    case 'order_not_found':
      return { title: 'There is no such order', text: 'You have no order of this number.' }
    case 'payment_not_found':
      return { title: 'Not paid', text: 'There is no payment of this order.' }
    case 'store_not_found':
      return { title: 'There is no such store', text: 'It may have closed.' }
    case 'user_unknown':
      return { title: 'There is no such user', text: 'The user may have been removed. Nothing was changed.' }
    case 'order_not_payable':
      return { title: `The order is ${refusal.status}`, text: 'It cannot be paid any more. Nothing was taken.' }
    case 'order_not_cancellable':
      return { title: `The order is ${refusal.status}`, text: 'It cannot be cancelled any more. Nothing was changed.' }
    case 'order_not_refundable':
      return { title: `The order is ${refusal.status}`, text: 'It cannot be refunded. Nothing was changed.' }
    case 'name_taken':
      return { title: 'The name is taken', text: `There is a “${refusal.name}” already.` }
    case 'idempotency_key_reused':
      return { title: 'This was sent before, and differently', text: 'Please look at your orders before you go on.' }
    case 'token_missing':
    case 'token_invalid':
    case 'user_not_found':
      return { title: 'You are not signed in any more', text: 'Nothing happened. Sign in again to go on.' }
    case 'not_allowed':
      return { title: 'You may not do this', text: 'Your account does not allow it. Nothing happened.' }
    default:
      // Of a release to come: the server is newer than this page.
      refusal satisfies never
      return { title: 'The shop said no', text: 'Nothing happened.' }
  }
}

const SIGNED_OUT: readonly RefusalCode[] = ['token_missing', 'token_invalid', 'user_not_found']

/** Whether it helps to sign in again. */
export const isSignedOut = (refusal: Refusal | null): boolean => refusal !== null && SIGNED_OUT.includes(refusal.code)

export const STILL_IN_DOUBT =
  'We still do not know whether it went through. Asking again is safe: nothing is taken twice.'

/** What a customer is told of anything else that went wrong. */
export function wordsForError(error: unknown): Words {
  const refusal = refusalOf(error)
  if (refusal) return wordsFor(refusal)
  if (error instanceof OutcomeUnknownError) {
    return { title: 'The connection broke', text: 'We do not know yet whether it went through.' }
  }
  const data = isTRPCClientError(error) ? error.data : undefined
  if (data?.code === 'BAD_REQUEST') {
    return { title: 'The shop cannot make sense of that', text: 'Nothing happened. Please check what you asked for.' }
  }
  const requestId = data && 'requestId' in data ? data.requestId : undefined
  return requestId
    ? { title: 'Something went wrong on our side', text: `If you ask for help, name ${requestId}.` }
    : { title: 'The shop cannot be reached', text: 'Please check your connection, and try again.' }
}
