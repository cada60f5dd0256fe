import { type AppConfig, type AppOptions, buildApp, createLogger } from '@pointwise/server'
import { urlOf } from '../../server/src/http/address.ts'
import { CONFIG } from './configuration.ts'
import { expectNoSecrets } from './log-secrets.ts'

interface StartOptions extends Pick<AppOptions, 'db' | 'readinessDb' | 'unreadyReason' | 'redis' | 'limits'> {
  config?: Partial<AppConfig>
  port?: number
}

/** A server on a pool of the test. Disposing it closes both, and the connection to Redis; no audit is run. */
export async function startServer({
  db,
  readinessDb,
  unreadyReason,
  redis,
  config,
  limits = {},
  port = 0,
}: StartOptions) {
  const log: string[] = []
  const app = await buildApp({
    db,
    ...(readinessDb && { readinessDb }),
    config: { ...CONFIG, ...config },
    redis,
    limits,
    ...(unreadyReason && { unreadyReason }),
    logger: createLogger('info', { write: (line) => void log.push(line) }),
  })
  redis?.start()
  await app.listen({ port, host: '127.0.0.1' })
  return {
    app,
    log,
    url: urlOf(app.server),
    async [Symbol.asyncDispose]() {
      await app.close()
      redis?.close()
      await db.destroy()
      expectNoSecrets(log)
    },
  }
}
