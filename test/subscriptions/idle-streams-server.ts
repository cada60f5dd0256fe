import { setTimeout as delay } from 'node:timers/promises'
import { connect } from '@pointwise/db'
import { buildApp, createLogger } from '@pointwise/server'
import { urlOf } from '../../server/src/http/address.ts'
import { CONFIG } from '../setup/configuration.ts'

/** A server in a process of its own. It answers every message with the number of bytes of heap in use. */
const app = await buildApp({
  db: connect(process.argv[2] ?? ''),
  config: CONFIG,
  logger: createLogger('silent'),
})
await app.listen({ port: 0, host: '127.0.0.1' })
process.on('message', async () => {
  for (let n = 0; n < 3; n++) {
    gc?.()
    await delay(50)
  }
  process.send?.(process.memoryUsage().heapUsed)
})
process.send?.(urlOf(app.server))
