import { once } from 'node:events'
import { createServer } from 'node:http'
import type { Replica } from '@pointwise/db'
import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from '@prometheus-io/client'
import type { FastifyInstance } from 'fastify'
import type { RedisConnection } from '../redis/redis-connection.ts'
import type { RelayStatus } from '../relay/relay-status.ts'
import { appRouter } from '../router.ts'
import type { TransactionCounters } from '../rpc/transactions.ts'
import { urlOf } from './address.ts'
import { proceduresOf } from './trpc/fast-path.ts'

const BUCKETS_SECONDS = [0.002, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5]

/** Current values of the server, read when metrics are collected. */
export interface Gauges {
  callsInProgress: () => number
  /** Since the server started. */
  requestsShed: () => number
  paymentsWaiting: () => number
  streams: () => number
}

declare module 'fastify' {
  interface FastifyInstance {
    counters: TransactionCounters
    gauges: Gauges
  }
}

/**
 * Collects the metrics of a server that is not listening yet: request durations, transactions, load, and Node's own
 * metrics. The values of labels come from the router, the refusal catalogue and the database, never from clients.
 */
export function collectMetrics(
  app: FastifyInstance,
  {
    relay,
    redis,
    replica,
  }: {
    relay?: RelayStatus | undefined
    redis?: Pick<RedisConnection, 'isAvailable' | 'outages'> | undefined
    replica?: Pick<Replica, 'isUsed' | 'lagSeconds' | 'fallbacks'> | undefined
  } = {},
): Registry {
  const registry = new Registry()
  collectDefaultMetrics({ register: registry })
  collectRequestDurations(app, registry)
  collectTransactionRetries(app, registry)
  const { counters, gauges } = app
  collectTotals(registry, [
    ['transactions_exhausted', 'Calls refused with service_busy after their last attempt.', () => counters.exhausted],
    ['lost_commits', 'COMMITs whose result was lost.', () => counters.lostCommits],
    ['requests_shed', 'Requests refused with service_busy before they were read.', gauges.requestsShed],
  ])
  collectGauges(registry, [
    ['calls_under_way', 'Procedure calls in progress.', gauges.callsInProgress],
    ['payments_waiting', 'Payments that wait for the next settlement batch.', gauges.paymentsWaiting],
    ['streams', 'Open subscription streams.', gauges.streams],
  ])
  if (redis) {
    collectTotals(registry, [['redis_outages', 'How often Redis became unavailable.', () => redis.outages]])
    collectGauges(registry, [
      ['redis_available', '1 while Redis is used, 0 otherwise.', () => Number(redis.isAvailable)],
    ])
  }
  if (replica) {
    collectTotals(registry, [
      [
        'replica_fallbacks',
        'Reads that the primary answered because the replica was not used.',
        () => replica.fallbacks,
      ],
    ])
    collectGauges(registry, [
      ['replica_used', '1 while the replica is used, 0 otherwise.', () => Number(replica.isUsed)],
      ['replica_lag_seconds', 'How old the data of the replica can be.', () => replica.lagSeconds],
    ])
  }
  if (relay) collectRelay(registry, relay)
  return registry
}

function collectRelay(registry: Registry, relay: RelayStatus): void {
  collectTotals(registry, [
    ['relay_published', 'Events that this process published, including repeated ones.', () => relay.published],
    ['relay_failures', 'Attempts of this process to publish events that failed.', () => relay.failures],
  ])
  collectGauges(registry, [
    ['relay_active', '1 while this process publishes events, 0 otherwise.', () => Number(relay.isHolder)],
    ['relay_lag_events', 'Ids between the last published event and the newest event.', () => relay.lag],
    ['relay_oldest_unpublished_seconds', 'Age of the oldest unpublished event.', () => relay.oldestAgeSeconds],
    ['relay_stopped_at_event', 'Id of an event that cannot be published; 0: none.', () => relay.stoppedAtId ?? 0],
    ['outbox_horizon', 'Highest id whose event was deleted on purpose.', () => relay.horizon],
  ])
}

function collectRequestDurations(app: FastifyInstance, registry: Registry): void {
  const durations = new Histogram({
    name: 'pointwise_request_duration_seconds',
    help: 'Duration of a request. The procedure of a request with several calls is "batch", and its refusal is the first one. Streams are not included.',
    labelNames: ['procedure', 'status', 'refusal'],
    buckets: BUCKETS_SECONDS,
    registers: [registry],
  })
  const procedures = proceduresOf(appRouter)
  app.addHook('onResponse', async ({ method, params, callLog }, { statusCode, elapsedTime }) => {
    const { path } = params as { path?: string }
    if (path === undefined || method === 'OPTIONS' || procedures.get(path)?._def.type === 'subscription') return
    const procedure = procedures.has(path) ? path : path.includes(',') ? 'batch' : 'unknown'
    durations.observe({ procedure, status: statusCode, refusal: callLog?.refusal ?? '' }, elapsedTime / 1_000)
  })
}

function collectTransactionRetries({ counters }: FastifyInstance, registry: Registry): void {
  new Counter({
    name: 'pointwise_transaction_retries_total',
    help: 'Retried transactions, by reason: the error number of the database, or the name of the error.',
    labelNames: ['reason'],
    registers: [registry],
    collect() {
      this.reset()
      for (const [reason, count] of Object.entries(counters.retries)) this.inc({ reason }, count)
    },
  })
}

type Metric = [name: string, help: string, read: () => number]

function collectTotals(registry: Registry, totals: Metric[]): void {
  for (const [name, help, read] of totals) {
    new Counter({
      name: `pointwise_${name}_total`,
      help,
      registers: [registry],
      collect() {
        this.reset()
        this.inc(read())
      },
    })
  }
}

function collectGauges(registry: Registry, gauges: Metric[]): void {
  for (const [name, help, read] of gauges) {
    new Gauge({
      name: `pointwise_${name}`,
      help,
      registers: [registry],
      collect() {
        this.set(read())
      },
    })
  }
}

/** Serves metrics in Prometheus' text format at `/metrics`, on a port of its own that clients need not reach. */
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
