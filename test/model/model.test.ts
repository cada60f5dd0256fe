import fc from 'fast-check'
import { expect, test } from 'vitest'
import { openShop } from '../setup/shop.ts'
import { inSuite } from '../setup/suite.ts'
import { initialState } from './call-arbitraries.ts'
import { commandsUpTo } from './commands.ts'
import { Driver } from './driver.ts'
import { Scenario } from './scenario.ts'

/** The failure message contains the values that reproduce it. */
const { MODEL_SEED = '1', MODEL_RUNS = inSuite(30, 600), MODEL_PATH } = process.env
const [path, replayPath] = MODEL_PATH?.split(',') ?? []

type RunDetails = Pick<
  fc.RunDetails<[unknown, unknown]>,
  'failed' | 'seed' | 'counterexamplePath' | 'counterexample' | 'errorInstance'
>

test('Sequential and concurrent calls return what the model returns, and leave the tables it expects', {
  timeout: 1_800_000,
}, async () => {
  await using shop = await openShop()
  const admin = await shop.admin()
  const matchesTheModel = fc.asyncProperty(initialState, commandsUpTo(16, replayPath), async (state, commands) => {
    const scenario = new Scenario(await Driver.create(shop, admin, state), state)
    await fc.asyncModelRun(() => ({ model: scenario, real: scenario }), commands)
    await scenario.verifyTables(shop)
  })

  const details = await fc.check(matchesTheModel, {
    seed: Number(MODEL_SEED),
    numRuns: Number(MODEL_RUNS),
    ...(path && { path }),
  })

  expect(describeFailure(details)).toBe('')
})

function describeFailure({ failed, seed, counterexamplePath, counterexample, errorInstance }: RunDetails): string {
  if (!failed) return ''
  const [, replay = ''] = /replayPath="(.*?)"/.exec(String(counterexample?.[1])) ?? []
  return `${errorInstance}\nTo reproduce: MODEL_SEED=${seed} MODEL_PATH=${counterexamplePath},${replay} npm test -- test/model`
}
