import { afterAll, expect, inject, test } from 'vitest'
import { GUARDS } from './guard-table.ts'
import { MutantRunner } from './mutant-runner.ts'

const CONCURRENCY = 2

const idleRunners = Array.from({ length: CONCURRENCY }, () => new MutantRunner(inject('databaseServer')))
let tried = 0

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
  tried += 1
  process.stdout.write(`${tried}/${GUARDS.length} ${guard.name}: ${failed[0] ?? 'no test fails'}\n`)
  expect(failed, `No test failed. ${output}`).not.toEqual([])
})
