import type { Logger } from 'pino'

const CLOSE_TIMEOUT_MS = 10_000
/** Under npm, Ctrl-C arrives twice within milliseconds: from the terminal and from npm. A second Ctrl-C by a person comes later. */
const SECOND_SIGNAL_AFTER_MS = 1_000

/**
 * Closes the process gracefully on SIGINT and SIGTERM, with exit code 0, and on an uncaught error, with exit code 1. When
 * closing fails or takes more than ten seconds, and on a second signal at least one second after the first, the process
 * exits at once with exit code 1.
 *
 * Returns a function that returns whether the process is closing. An error during that time is expected.
 */
export function closeOnSignal(logger: Logger, close: () => Promise<void>): () => boolean {
  let closingSince: number | undefined
  const begin = (reason: string, exitCode: 0 | 1) => {
    if (closingSince !== undefined) {
      if (performance.now() - closingSince > SECOND_SIGNAL_AFTER_MS) process.exit(1)
      return
    }
    closingSince = performance.now()
    logger.info({ reason }, 'closing')
    setTimeout(() => {
      logger.error(`closing timed out after ${CLOSE_TIMEOUT_MS} ms`)
      process.exit(1)
    }, CLOSE_TIMEOUT_MS).unref()
    close().then(
      () => process.exit(exitCode),
      (error) => {
        logger.error({ err: error }, 'closing failed')
        process.exit(1)
      },
    )
  }
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => begin(signal, 0))
  for (const event of ['uncaughtException', 'unhandledRejection'] as const) {
    process.on(event, (error: unknown) => {
      logger.fatal({ err: error }, event)
      begin(event, 1)
    })
  }
  return () => closingSince !== undefined
}
