import { afterAll, expect, inject, test } from 'vitest'
import { GUARDS } from './guard-table.ts'
import { Workshop } from './mutant-runner.ts'

const AT_ONCE = 2

const free = Array.from({ length: AT_ONCE }, () => new Workshop(inject('databaseServer')))
const deaths = new Map<string, string>()

async function inWorkshop<T>(work: (workshop: Workshop) => Promise<T>): Promise<T> {
  const workshop = free.pop()
  if (!workshop) throw new Error('Every workshop is taken.')
  try {
    return await work(workshop)
  } finally {
    free.push(workshop)
  }
}

afterAll(async () => {
  const width = Math.max(...GUARDS.map(({ name }) => name.length))
  const lines = GUARDS.map(({ name }) => `${name.padEnd(width)}  ${deaths.get(name) ?? 'nothing died'}`)
  process.stdout.write(`\n${['guard'.padEnd(width).concat('  what dies without it'), ...lines].join('\n')}\n\n`)
  for (const workshop of free) await workshop[Symbol.asyncDispose]()
})

test('with every guard in its place, all of these tests pass', async () => {
  const { failed, passed, output } = await inWorkshop((workshop) =>
    workshop.run([...new Set(GUARDS.flatMap(({ tests }) => tests))], { workers: AT_ONCE }),
  )
  expect(failed, output).toEqual([])
  expect(passed, output).toBeGreaterThan(0)
})

test.concurrent.each(GUARDS)('a test dies without $name', async (guard) => {
  const { failed, output } = await inWorkshop((workshop) => workshop.runWithout(guard))
  if (failed[0]) deaths.set(guard.name, failed[0])
  expect(failed, `Nothing failed. ${output}`).not.toEqual([])
})
