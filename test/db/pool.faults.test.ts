import { connect } from '@pointwise/db'
import { expect, onTestFinished, test } from 'vitest'
import { emptyDatabase, run } from '../setup/database.ts'
import { expectWithin } from '../setup/deadline.ts'
import { eventually } from '../setup/eventually.ts'
import { faultProxy } from '../setup/fault-proxy.ts'

test('connection attempts to an unresponsive server do not occupy the pool after it recovers', async () => {
  const { url, db: setup } = await emptyDatabase()
  await setup.destroy()
  await using proxy = await faultProxy(url)
  proxy.stall()
  const db = connect(proxy.url, { connections: 2, acquireTimeoutMs: 200 })
  onTestFinished(() => db.destroy())
  const results = await Promise.allSettled([1, 2, 3, 4].map(() => run(db, 'select 1')))
  expect(results.map(({ status }) => status)).toEqual(['rejected', 'rejected', 'rejected', 'rejected'])
  proxy.enable()
  const started = performance.now()
  await eventually(() => run(db, 'select 1').catch(() => undefined)).toBeDefined()
  // Less than the driver's own connect timeout of 10 s.
  expectWithin(performance.now() - started, 5_000)
})
