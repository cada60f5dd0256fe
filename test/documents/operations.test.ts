import { readFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { connect } from '@pointwise/db'
import { buildApp, createLogger } from '@pointwise/server'
import { expect, test } from 'vitest'
import { collectMetrics } from '../../server/src/http/metrics.ts'
import { CONFIG } from '../setup/configuration.ts'
import { databaseUrl } from '../setup/database.ts'
import { tableRows } from './markdown-table.ts'

test('docs/operations.md lists every metric of the server', async () => {
  const page = readFileSync(join(resolve(import.meta.dirname, '../..'), 'docs/operations.md'), 'utf8')
  const documented = tableRows(page, '| metric | meaning |').map(([name = '']) => name.replaceAll('`', ''))
  const db = connect(databaseUrl())
  const app = await buildApp({ db, config: CONFIG, logger: createLogger('silent') })
  const text = await collectMetrics(app).metrics()
  await app.close()
  await db.destroy()
  const metrics = [...text.matchAll(/^# TYPE (pointwise_\w+) /gm)].map(([, name]) => name)
  expect(documented.toSorted()).toEqual(metrics.toSorted())
})
