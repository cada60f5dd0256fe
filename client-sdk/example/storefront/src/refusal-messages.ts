import {
  isTRPCClientError,
  OutcomeUnknownError,
  type Refusal,
  type RefusalCode,
  refusalOf,
} from '@pointwise/client-sdk'
import { formatMorePoints, formatNumber, formatPieces, formatPoints } from './format.ts'

export interface Message {
  title: string
  text: string
}

/** The message for a refusal: what happened, and that nothing else has changed. */
export function refusalMessage(refusal: Refusal): Message {
  switch (refusal.code) {
    case 'price_changed':
      return {
        title: `The price is now ${formatPoints(refusal.actual)}`,
        text: `It was ${formatPoints(refusal.expected)} when you opened this page. No points were taken.`,
      }
    case 'points_insufficient':
      return {
        title: `You need ${formatMorePoints(refusal.required - refusal.balance)}`,
        text: `This costs ${formatPoints(refusal.required)}, and your balance is ${formatNumber(refusal.balance)}. No points were taken.`,
      }
    case 'stock_insufficient':
      return stockMessage(refusal)
    case 'points_limit_exceeded':
      return {
        title: `Your balance can hold at most ${formatPoints(refusal.limit)}`,
        text:
          refusal.balance < refusal.limit
            ? `You have ${formatNumber(refusal.balance)}, so you can add up to ${formatPoints(refusal.limit - refusal.balance)}. No points were added.`
            : 'Your balance is full. No points were added.',
      }
    case 'service_busy':
    case 'deadline_exceeded':
      return {
        title: 'The shop is very busy',
        text: 'Nothing has changed: no points were taken, and no order was placed.',
      }
    case 'rate_limited':
      return { title: 'Too many requests', text: 'Nothing has changed. Please wait a moment.' }
    case 'product_not_found':
      return { title: 'No longer sold', text: 'This product is not in the shop any more. No points were taken.' }
    case 'order_not_found':
      return { title: 'Order not found', text: 'You have no order with this number.' }
    case 'payment_not_found':
      return { title: 'Not paid', text: 'This order has no payment.' }
    case 'store_not_found':
      return { title: 'Store not found', text: 'It may have closed.' }
    case 'user_unknown':
      return { title: 'User not found', text: 'The account may have been removed.' }
    case 'order_not_payable':
      return { title: `This order is ${refusal.status}`, text: 'It can no longer be paid. No points were taken.' }
    case 'order_not_cancellable':
      return { title: `This order is ${refusal.status}`, text: 'It can no longer be cancelled. Nothing has changed.' }
    case 'order_not_refundable':
      return { title: `This order is ${refusal.status}`, text: 'It cannot be refunded. Nothing has changed.' }
    case 'name_taken':
      return { title: 'This name is already in use', text: `“${refusal.name}” exists. Please choose another name.` }
    case 'idempotency_key_reused':
      return {
        title: 'This request was already sent with other details',
        text: 'Please check your orders before you continue.',
      }
    case 'not_resumable':
      return { title: 'This page is out of date', text: 'Reload it to see the current state.' }
    case 'token_missing':
    case 'token_invalid':
    case 'user_not_found':
      return { title: 'You are no longer signed in', text: 'Nothing has changed. Sign in again to continue.' }
    case 'not_allowed':
      return { title: 'You cannot do this', text: 'Your account does not have permission. Nothing has changed.' }
    default:
      // A server of a later release can send a code that this page does not know.
      refusal satisfies never
      return { title: 'The shop refused this request', text: 'Nothing has changed.' }
  }
}

function stockMessage({ available, requested }: { available: number; requested: number }): Message {
  return available === 0
    ? { title: 'Sold out', text: 'The last piece was sold a moment ago. No points were taken.' }
    : {
        title: `Only ${formatNumber(available)} left`,
        text: `You asked for ${formatPieces(requested)}. No points were taken.`,
      }
}

const SIGNED_OUT: readonly RefusalCode[] = ['token_missing', 'token_invalid', 'user_not_found']

/** Whether the call may succeed after the user has signed in again. */
export const isSignedOut = (refusal: Refusal | null): boolean => refusal !== null && SIGNED_OUT.includes(refusal.code)

export const STILL_UNKNOWN_TEXT =
  'We still do not know whether it went through. You can safely check again: it will not happen twice.'

/** The message for any failed call. */
export function messageForError(error: unknown): Message {
  const refusal = refusalOf(error)
  if (refusal) return refusalMessage(refusal)
  if (error instanceof OutcomeUnknownError) {
    return { title: 'The connection was lost', text: 'We do not know yet whether it went through.' }
  }
  const data = isTRPCClientError(error) ? error.data : undefined
  if (data?.code === 'BAD_REQUEST') {
    return { title: 'The shop could not process this request', text: 'Nothing has changed. Please check your input.' }
  }
  const requestId = data && 'requestId' in data ? data.requestId : undefined
  return requestId
    ? { title: 'Something went wrong on our side', text: `If you contact support, please quote ${requestId}.` }
    : { title: 'The shop cannot be reached', text: 'Please check your connection and try again.' }
}
