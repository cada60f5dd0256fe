import { initTRPC } from '@trpc/server'
import type { Context } from './context.ts'
import { formatError } from './errors.ts'
import type { Meta } from './meta.ts'
import { transformer } from './transformer.ts'

/** How often an idle stream sends a ping. */
export const PING_MS = 15_000
/** The options that a stream sends to its client first: after how much silence to reconnect. */
export const SSE_CLIENT_OPTIONS = { reconnectAfterInactivityMs: 40_000 }

const t = initTRPC
  .context<Context>()
  .meta<Meta>()
  .create({
    transformer,
    isDev: false,
    sse: { ping: { enabled: true, intervalMs: PING_MS }, client: SSE_CLIENT_OPTIONS },
    errorFormatter: formatError,
  })

export const { router, createCallerFactory, middleware, procedure } = t

/** For responses in tRPC's format where no procedure is reached. */
export const trpcConfig = t._config
