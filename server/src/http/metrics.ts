import { once } from 'node:events'
import { createServer } from 'node:http'
import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from '@prometheus-io/client'
import type { FastifyInstance } from 'fastify'
import { appRouter } from '../router.ts'
import { urlOf } from './address.ts'
import { proceduresOf } from './trpc/fast-path.ts'

const BUCKETS_SECONDS = [0.002, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5]

/**
 * Begins to measure a server that does not listen yet: how long its requests take, by procedure and status; what became of
 * its transactions; what is under way; and what the process takes. Labels are of our own making, never of a client's.
 */
export function collectMetrics(app: FastifyInstance): Registry {
  const registry = new Registry()
  const registers = [registry]
  const { counters, gauges } = app
  collectDefaultMetrics({ register: registry })
  const durations = new Histogram({
    name: 'pointwise_request_duration_seconds',
    help: 'How long a request took. Several calls in one request are a batch; streams are not among them.',
    labelNames: ['procedure', 'status'],
    buckets: BUCKETS_SECONDS,
    registers,
  })
  const procedures = proceduresOf(appRouter)
  app.addHook('onResponse', async ({ method, params }, { statusCode, elapsedTime }) => {
    const { path } = params as { path?: string }
    if (path === undefined || method === 'OPTIONS' || procedures.get(path)?._def.type === 'subscription') return
    const procedure = procedures.has(path) ? path : path.includes(',') ? 'batch' : 'unknown'
    durations.observe({ procedure, status: statusCode }, elapsedTime / 1_000)
  })

  new Counter({
    name: 'pointwise_transaction_retries_total',
    help: 'Transactions that were made again, by the reason: an error number of the database, or a name.',
    labelNames: ['reason'],
    registers,
    collect() {
      this.reset()
      for (const [reason, count] of Object.entries(counters.retries)) this.inc({ reason }, count)
    },
  })
  const totals: [name: string, help: string, read: () => number][] = [
    ['transactions_exhausted', 'Calls refused as service_busy after their last attempt.', () => counters.exhausted],
    ['lost_commits', 'COMMITs whose answer was lost.', () => counters.lostCommits],
    ['requests_shed', 'Requests answered service_busy before they were read.', gauges.requestsShed],
  ]
  for (const [name, help, read] of totals) {
    new Counter({
      name: `pointwise_${name}_total`,
      help,
      registers,
      collect() {
        this.reset()
        this.inc(read())
      },
    })
  }
  const moments: [name: string, help: string, read: () => number][] = [
    ['calls_under_way', 'Procedure calls under way.', gauges.callsUnderWay],
    ['payments_waiting', 'Payments that wait for the next batch.', gauges.paymentsWaiting],
    ['streams', 'Live streams that are open.', gauges.streams],
  ]
  for (const [name, help, read] of moments) {
    new Gauge({
      name: `pointwise_${name}`,
      help,
      registers,
      collect() {
        this.set(read())
      },
    })
  }
  return registry
}

/** Serves metrics in the text format of Prometheus, at `/metrics` of a port that clients need not reach. */
export async function serveMetrics(
  registry: Registry,
  { host, port }: { host: string; port: number },
): Promise<{ url: string; close: () => Promise<void> }> {
  const server = createServer(({ method, url }, response) => {
    if (method !== 'GET' || url !== '/metrics') return response.writeHead(404).end()
    return registry.metrics().then(
      (text) => response.writeHead(200, { 'content-type': registry.contentType }).end(text),
      (error) => response.writeHead(500).end(String(error)),
    )
  })
  server.listen(port, host)
  await once(server, 'listening')
  return {
    url: `${urlOf(server)}/metrics`,
    async close() {
      server.close()
      server.closeAllConnections()
    },
  }
}
