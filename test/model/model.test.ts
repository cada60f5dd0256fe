import fc from 'fast-check'
import { expect, test } from 'vitest'
import { openShop } from '../setup/shop.ts'
import { opening } from './commands.ts'
import { Driver } from './driver.ts'
import { Story } from './scenario.ts'
import { stepsUpTo } from './steps.ts'

/** A failure prints them. */
const { MODEL_SEED = '1', MODEL_RUNS = '300', MODEL_PATH } = process.env
const [path, replayPath] = MODEL_PATH?.split(',') ?? []

type Found = Pick<
  fc.RunDetails<[unknown, unknown]>,
  'failed' | 'seed' | 'counterexamplePath' | 'counterexample' | 'errorInstance'
>

test('whatever is called, one by one or at once, the shop does what the model does', { timeout: 600_000 }, async () => {
  await using shop = await openShop()
  const admin = await shop.admin()
  const likeTheModel = fc.asyncProperty(opening, stepsUpTo(16, replayPath), async (world, steps) => {
    const story = new Story(await Driver.open(shop, admin, world), world)
    await fc.asyncModelRun(() => ({ model: story, real: story }), steps)
    await story.end(shop)
  })

  const found = await fc.check(likeTheModel, {
    seed: Number(MODEL_SEED),
    numRuns: Number(MODEL_RUNS),
    ...(path && { path }),
  })

  expect(storyOf(found)).toBe('')
})

function storyOf({ failed, seed, counterexamplePath, counterexample, errorInstance }: Found): string {
  if (!failed) return ''
  const [, replay = ''] = /replayPath="(.*?)"/.exec(String(counterexample?.[1])) ?? []
  return `${errorInstance}\nAgain: MODEL_SEED=${seed} MODEL_PATH=${counterexamplePath},${replay} npm test -- test/model`
}
