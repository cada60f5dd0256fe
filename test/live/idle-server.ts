import type { AddressInfo } from 'node:net'
import { setTimeout as delay } from 'node:timers/promises'
import { connect } from '@pointwise/db'
import { buildApp, createLogger } from '@pointwise/server'

/** A server of its own, which tells how much of its heap is in use when it is asked. */
const app = await buildApp({
  db: connect(process.argv[2] ?? ''),
  config: {
    tokens: {
      audience: 'pointwise',
      issuer: 'pointwise',
      key: { secret: new TextEncoder().encode('a secret of at least thirty-two bytes') },
    },
    corsOrigins: [],
    rateLimit: null,
    trustProxy: 0,
    rankingsTtlSeconds: 0,
    storefront: false,
  },
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
process.send?.(`http://127.0.0.1:${(app.server.address() as AddressInfo).port}`)
