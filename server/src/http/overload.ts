import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { answerBusy } from './errors.ts'

const TICK_MS = 100

export interface OverloadLimits {
  /** How many procedure calls may be under way at once. */
  callsMax: number
  /** How late the event loop may be. */
  lateMaxMs: number
}

/**
 * Runs the procedure calls of a request, or answers service_busy in their place. Whoever asks for many at once counts
 * for as many.
 */
export type Bounded = <T>(calls: number, reply: FastifyReply, run: () => Promise<T>) => Promise<T | FastifyReply>

/**
 * Sheds load: while the event loop is late, or as many calls are under way as we can serve in time, a procedure request is
 * answered at once, before it is read. Work that nobody waits for any more costs as much as work that somebody does.
 */
export function shedOverload(app: FastifyInstance, { callsMax, lateMaxMs }: OverloadLimits): Bounded {
  let underWay = 0
  let tickedAt = performance.now()
  let late = 0
  const tick = setInterval(() => {
    const now = performance.now()
    late = now - tickedAt - TICK_MS
    tickedAt = now
  }, TICK_MS).unref()
  app.addHook('onClose', async () => clearInterval(tick))

  // The last tick may have been in time, and this turn of the loop already be too long.
  const isLate = () => late > lateMaxMs || performance.now() - tickedAt - TICK_MS > lateMaxMs
  app.addHook('onRequest', (request: FastifyRequest, reply, done) => {
    if (!request.url.startsWith('/trpc/') || (underWay < callsMax && !isLate())) done()
    else answerBusy(request, reply)
  })

  return async (calls, reply, run) => {
    if (underWay + calls > callsMax) {
      answerBusy(reply.request, reply)
      return reply
    }
    underWay += calls
    try {
      return await run()
    } finally {
      underWay -= calls
    }
  }
}
