import { checkServer, connect, createDatabase, migrate } from '@pointwise/db'
import { buildApp } from './app.ts'
import { closeOnSignal } from './close-on-signal.ts'
import { type Config, ConfigError, readConfig } from './config.ts'
import {
  demoUsers,
  type Embedded,
  removeServerFile,
  startEmbedded,
  writeServerFileAndBanner,
} from './embedded/start.ts'
import { urlOf } from './http/address.ts'
import { createLogger } from './http/logging.ts'
import type { Storefront } from './http/web/storefront.ts'

const say = (line: string) => process.stdout.write(`${line}\n`)

/** What has to be undone when the process ends, the last thing first. */
const cleanups: (() => Promise<void>)[] = []

let isClosing = () => false

async function start(config: Config): Promise<void> {
  const logger = createLogger(config.logLevel ?? (config.databaseUrl ? 'info' : 'warn'))
  isClosing = closeOnSignal(logger, async () => {
    for (const cleanup of cleanups.splice(0).toReversed()) await cleanup()
  })
  let embedded: Embedded | undefined
  if (!config.databaseUrl) {
    embedded = await startEmbedded(config.databaseProvider, say)
    cleanups.push(embedded.stop)
  }
  const databaseUrl = config.databaseUrl ?? embedded?.url ?? ''
  const key = config.tokens.key ?? { secret: embedded?.secret ?? new Uint8Array() }

  await createDatabase(databaseUrl)
  const applied = await migrate(databaseUrl)
  const db = connect(databaseUrl, { connections: config.databasePool })
  cleanups.push(() => db.destroy())
  const version = await checkServer(db)
  logger.info({ version, applied }, 'database ready')

  const signing = embedded && { ...config.tokens, secret: 'secret' in key ? key.secret : embedded.secret }
  let storefront: Storefront | undefined
  let isFilled = false
  if (signing && config.storefront) {
    const { buildStorefront } = await import('./embedded/build-storefront.ts')
    const onFailure = (error: unknown) => logger.error({ err: error }, 'the storefront could not be built')
    const { site, stop } = buildStorefront({ onFailure })
    cleanups.push(stop)
    // The page comes when there is something on its shelves.
    storefront = { site: () => (isFilled ? site() : 'being built'), users: () => demoUsers(db, signing) }
  }
  const app = await buildApp({ db, config: { ...config, tokens: { ...config.tokens, key } }, logger, storefront })
  cleanups.push(() => app.close())
  if (config.metricsPort !== undefined) {
    const { collectMetrics, serveMetrics } = await import('./http/metrics.ts')
    const { url, close } = await serveMetrics(collectMetrics(app), { host: config.host, port: config.metricsPort })
    cleanups.push(close)
    logger.info({ url }, 'metrics are served')
  }
  await app.listen({ host: config.host, port: config.port })
  if (embedded && signing) {
    cleanups.push(removeServerFile)
    say(
      await writeServerFileAndBanner({
        db,
        url: urlOf(app.server),
        database: embedded,
        signing,
        pages: config.storefront,
      }),
    )
    isFilled = true
  }
}

try {
  await start(readConfig(process.env))
} catch (error) {
  if (!isClosing()) {
    process.stderr.write(`pointwise: ${sentence(error)}\n`)
    for (const cleanup of cleanups.splice(0).toReversed()) await cleanup().catch(() => undefined)
    process.exit(1)
  }
}

/** A refused configuration says all in its message; of anything else the operator wants the causes, too. */
function sentence(error: unknown): string {
  if (!(error instanceof Error)) return String(error)
  const because = error.cause instanceof Error ? ` Because: ${sentence(error.cause)}` : ''
  return error instanceof ConfigError ? `Bad configuration: ${error.message}` : `${error.message}${because}`
}
