import type { Logger } from 'pino'

const CLOSE_WITHIN_MS = 10_000
/** Ctrl-C under npm arrives twice: from the terminal, and from npm. A person who insists takes longer. */
const INSISTS_AFTER_MS = 1_000

/**
 * Closes the process in an orderly way on SIGINT and SIGTERM (exit code 0) and on an error that nobody caught (exit
 * code 1), in ten seconds at most (exit code 1). A second signal, a second later, ends it at once. Returns whether it is
 * closing by now: what fails then, fails because of that.
 */
export function closeOnSignal(logger: Logger, close: () => Promise<void>): () => boolean {
  let closingSince: number | undefined
  const begin = (reason: string, exitCode: 0 | 1) => {
    if (closingSince !== undefined) {
      if (performance.now() - closingSince > INSISTS_AFTER_MS) process.exit(1)
      return
    }
    closingSince = performance.now()
    logger.info({ reason }, 'closing')
    setTimeout(() => {
      logger.error(`did not close within ${CLOSE_WITHIN_MS} ms`)
      process.exit(1)
    }, CLOSE_WITHIN_MS).unref()
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
