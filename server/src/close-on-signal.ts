import type { Logger } from 'pino'

const CLOSE_TIMEOUT_MS = 10_000
/** Under npm, Ctrl-C arrives twice within milliseconds: from the terminal and from npm. A second Ctrl-C by a person comes later. */
const SECOND_SIGNAL_AFTER_MS = 1_000

interface CloseOptions {
  /** Called on a signal. How long the process continues to serve before it closes. */
  delayMs: () => number
  close: () => Promise<void>
}

/**
 * Closes the process gracefully on SIGINT and SIGTERM, with exit code 0, and on an uncaught error, with exit code 1.
 *
 * A signal is followed by the delay, during which the process serves as before; an uncaught error is not. A second signal at
 * least one second after the first ends the delay. When closing fails or takes more than ten seconds, and on a further
 * signal at least one second after closing has begun, the process exits at once with exit code 1.
 *
 * Returns a function that returns whether the delay or closing has begun. An error during that time is expected.
 */
export function closeOnSignal(logger: Logger, { delayMs, close }: CloseOptions): () => boolean {
  let stage: 'running' | 'delaying' | 'closing' = 'running'
  let stageSince = 0
  let delay: NodeJS.Timeout | undefined
  const enter = (next: typeof stage) => {
    stage = next
    stageSince = performance.now()
  }
  const isRepeat = () => performance.now() - stageSince <= SECOND_SIGNAL_AFTER_MS

  const closeNow = (exitCode: 0 | 1) => {
    if (stage === 'closing') {
      if (!isRepeat()) process.exit(1)
      return
    }
    clearTimeout(delay)
    enter('closing')
    closeWithin(logger, close, exitCode)
  }
  const onSignal = (reason: NodeJS.Signals) => {
    if (stage === 'closing') return closeNow(0)
    if (stage === 'delaying') {
      if (isRepeat()) return
      logger.info({ reason }, 'the shutdown delay is ended')
      return closeNow(0)
    }
    const milliseconds = delayMs()
    if (milliseconds === 0) {
      logger.info({ reason }, 'closing')
      return closeNow(0)
    }
    logger.info({ reason, delayMs: milliseconds }, 'closing after the shutdown delay')
    enter('delaying')
    delay = setTimeout(() => closeNow(0), milliseconds)
  }
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, onSignal)
  for (const event of ['uncaughtException', 'unhandledRejection'] as const) {
    process.on(event, (error: unknown) => {
      logger.fatal({ err: error }, event)
      closeNow(1)
    })
  }
  return () => stage !== 'running'
}

/** Closes and exits. Exits with exit code 1 when closing fails or takes too long. */
function closeWithin(logger: Logger, close: () => Promise<void>, exitCode: 0 | 1): void {
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
