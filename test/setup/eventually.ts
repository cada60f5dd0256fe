import { expect } from 'vitest'

/** For what comes true by itself: it is looked at until it is, in ten seconds at most. */
export const eventually = <T>(look: () => T | Promise<T>, { interval = 10 } = {}) =>
  expect.poll(look, { timeout: 10_000, interval })
