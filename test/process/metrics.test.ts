import { connect } from '@pointwise/db'
import { buildApp, createLogger } from '@pointwise/server'
import { expect, onTestFinished, test } from 'vitest'
import { collectMetrics } from '../../server/src/http/metrics.ts'
import { CONFIG, JWT_SECRET } from '../setup/configuration.ts'
import { databaseUrl } from '../setup/database.ts'
import { eventually } from '../setup/eventually.ts'
import { ServerProcess } from '../setup/server-process.ts'
import { json, send } from '../setup/trpc-wire.ts'

const env = {
  DATABASE_URL: databaseUrl('process'),
  JWT_SECRET,
  PORT: '0',
  METRICS_PORT: '0',
}

test('metrics of requests and of the process are served on a port of their own', async () => {
  await using server = new ServerProcess(env)
  const shop = { url: await server.url() }
  await send(shop, '/trpc/stores.list')
  await send(shop, '/trpc/stores.list,products.topSelling?batch=1&input=%7B%7D')
  await send(shop, '/trpc/points.charge', json('{"json":{"amount":1}}'))
  await send(shop, '/trpc/stores.list,users.me?batch=1&input=%7B%7D')
  await send(shop, '/trpc/products.get?input=%7B%22json%22%3A%7B%22productId%22%3A9%7D%7D')
  await send(shop, '/trpc/products.get?input=%7B%22json%22%3A%7B%22productId%22%3A0%7D%7D')
  await send(shop, '/trpc/no.such.procedure')
  await send(shop, '/trpc/points.onChange')
  const url = /"url":"(http:\/\/127\.0\.0\.1:\d+)\/metrics"/.exec(server.stdout)?.[1] ?? ''

  // A request is counted after its response has been sent.
  const lines = async () => (await send({ url }, '/metrics')).text.split('\n')
  const counted = (procedure: string, status: number, refusal: string, count: number) =>
    `pointwise_request_duration_seconds_count{procedure="${procedure}",status="${status}",refusal="${refusal}"} ${count}`
  await eventually(lines).toEqual(
    expect.arrayContaining([
      counted('stores.list', 200, '', 1),
      counted('batch', 200, '', 1),
      counted('batch', 207, 'token_missing', 1),
      counted('points.charge', 401, 'token_missing', 1),
      counted('products.get', 404, 'product_not_found', 1),
      counted('products.get', 400, '', 1),
      counted('unknown', 404, '', 1),
      'pointwise_streams 0',
      'pointwise_requests_shed_total 0',
      expect.stringMatching(/^nodejs_eventloop_lag_p99_seconds [\d.]+$/),
      expect.stringMatching(/^process_resident_memory_bytes \d+$/),
    ]),
  )
  expect((await lines()).filter((line) => line.includes('onChange'))).toEqual([])
  expect(await send({ url }, '/')).toMatchObject({ status: 404 })
  expect(await send(shop, '/metrics')).toMatchObject({ status: 404 })
  server.child.kill('SIGTERM')
  expect(await server.exitCode()).toBe(0)
})

test('retried, exhausted and lost transactions are counted', async () => {
  const db = connect(env.DATABASE_URL)
  const app = await buildApp({ db, config: CONFIG, logger: createLogger('silent') })
  onTestFinished(async () => {
    await app.close()
    await db.destroy()
  })
  const registry = collectMetrics(app)
  Object.assign(app.counters, { retries: { 1213: 2, AcquireTimeoutError: 1 }, exhausted: 3, lostCommits: 4 })
  for (let twice = 0; twice < 2; twice++) {
    expect((await registry.metrics()).split('\n')).toEqual(
      expect.arrayContaining([
        'pointwise_transaction_retries_total{reason="1213"} 2',
        'pointwise_transaction_retries_total{reason="AcquireTimeoutError"} 1',
        'pointwise_transactions_exhausted_total 3',
        'pointwise_lost_commits_total 4',
      ]),
    )
  }
})
