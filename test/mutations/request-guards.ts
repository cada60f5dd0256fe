import { type Guard, guardsIn } from './guard.ts'

const requestText = guardsIn('server/src/http/request-text.ts')
const authenticate = guardsIn('server/src/auth/authenticate.ts')

/** What a request can contain, and whom it counts as. */
export const REQUEST_GUARDS: Guard[] = [
  guardsIn('server/src/http/logging.ts')(
    'the log has no statement of Vitess',
    'withoutStatement(text).replace(',
    'text.replace(',
    'http/logs',
  ),
  requestText('check that a body is UTF-8', '{ fatal: true }', '{ fatal: false }', 'http/request-text'),
  requestText('check that a URL is UTF-8', '&& isDecodable(url)', '', 'http/request-text'),
  requestText('check of the charset', "if (/^utf-?8$/i.test(quoted ?? bare ?? ''))", 'if (type)', 'http/request-text'),
  guardsIn('server/src/rpc/schemas.ts')('0 for -0', '=> number + 0', '=> number', 'http/negative-zero'),
  guardsIn('server/src/rpc/idempotency-key-header.ts')(
    'check that header and input contain the same key',
    'own.toLowerCase() !== key.toLowerCase()',
    'own.length !== key.length',
    'http/idempotency-key-header',
  ),
  guardsIn('server/src/http/trpc/route.ts')(
    'check that a key does not apply to a batch',
    'info.calls.length > 1',
    'info.calls.length > 99',
    'http/idempotency-key-header',
  ),
  guardsIn('server/src/http/trpc/create-context.ts')(
    'check of a traceparent',
    'TRACEPARENT.test(traceparent)',
    'traceparent.length === 55',
    'http/traceparent',
  ),
  guardsIn('server/src/payments/settlement/write-sales.ts')(
    'traceparent of each request of a batch',
    '{ ...orders.orderPlacedEvent(userId, order), traceparent }, paid]',
    '{ ...orders.orderPlacedEvent(userId, order), traceparent: undefined }, paid]',
    'http/traceparent',
  ),
  guardsIn('server/src/http/load-shedding.ts')(
    'shedding of every request except health checks',
    'isHealthCheck(url)',
    "!url.startsWith('/trpc/')",
    'security/overload',
  ),
  guardsIn('server/src/auth/client-address.ts')(
    'one network for a client with several ports',
    'bracketed ?? ipv4 ?? text',
    'text',
    'auth/rate-limiter',
  ),
  guardsIn('server/src/auth/jwks.ts')(
    'removal of broken keys',
    'Response.json({ keys: usable })',
    'Response.json({ keys })',
    'auth/broken-keys',
  ),
  authenticate('clock leeway', 'CLOCK_LEEWAY_SECONDS = 5', 'CLOCK_LEEWAY_SECONDS = 6', 'auth/expiry'),
  guardsIn('server/src/http/client-errors.ts')(
    'no answer to malformed bytes before the response to an earlier request',
    '|| isAnswering(latest.get(socket))',
    '',
    'http/cors',
  ),
]
