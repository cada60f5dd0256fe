import { afterAll, expect, inject, test } from 'vitest'
import { GUARDS } from './guard-table.ts'
import { MutantRunner } from './mutant-runner.ts'

const CONCURRENCY = 2

const idleRunners = Array.from({ length: CONCURRENCY }, () => new MutantRunner(inject('databaseServer')))
const failedTests = new Map<string, string>()

async function withRunner<T>(work: (runner: MutantRunner) => Promise<T>): Promise<T> {
  const runner = idleRunners.pop()
  if (!runner) throw new Error('All runners are in use. CONCURRENCY must be the maxConcurrency of the suite.')
  try {
    return await work(runner)
  } finally {
    idleRunners.push(runner)
  }
}

afterAll(async () => {
  const width = Math.max(...GUARDS.map(({ name }) => name.length))
  const lines = GUARDS.map(({ name }) => `${name.padEnd(width)}  ${failedTests.get(name) ?? 'none'}`)
  process.stdout.write(`\n${['guard'.padEnd(width).concat('  test that fails without it'), ...lines].join('\n')}\n\n`)
  for (const runner of idleRunners) await runner[Symbol.asyncDispose]()
})

test('With every guard in place, the tests of all guards pass', async () => {
  const { failed, passed, output } = await withRunner((runner) =>
    runner.run([...new Set(GUARDS.flatMap(({ tests }) => tests))], { workers: CONCURRENCY }),
  )
  expect(failed, output).toEqual([])
  expect(passed, output).toBeGreaterThan(0)
})

test.concurrent.each(GUARDS)('A test fails without the guard: $name', async (guard) => {
  const { failed, output } = await withRunner((runner) => runner.runMutant(guard))
  if (failed[0]) failedTests.set(guard.name, failed[0])
  expect(failed, `No test failed. ${output}`).not.toEqual([])
})
