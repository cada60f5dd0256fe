import { globSync, readFileSync } from 'node:fs'
import { availableParallelism } from 'node:os'
import { defineConfig } from 'vitest/config'

const LONG = 'test/**/*.long.test.ts'
const FAULTS = 'test/**/*.faults.test.ts'
const CLUSTER = 'test/**/*.cluster.test.ts'
const MUTATIONS = 'test/**/*.mutations.test.ts'

const SUITES_OF_THEIR_OWN = [FAULTS, CLUSTER, MUTATIONS]

/** What does not depend on the database server. */
const OF_NO_ENGINE = [
  'test/{architecture,asyncapi,client-sdk,documents,openapi,process,redis,storefront}/**',
  'test/db/{local-provider,supervised-process}.long.test.ts',
]

/**
 * Suites, selected with `--mode`. The suite of a test file follows from its name:
 *
 * - `*.test.ts`: `npm test`, what a contributor runs.
 * - `*.long.test.ts`: only `npm run test:all`, which runs those of `npm test` as well. Complete matrices, long property runs,
 *   the browser and whatever else takes more than a few seconds of CPU time.
 *   `npm run test:engine` runs those whose result may depend on the database server.
 * - `*.faults.test.ts`: `npm run test:faults`, one file at a time. Faults that take minutes. This suite also runs the files
 *   that call `expectWithin` of test/setup/deadline.ts, and only here does that function assert elapsed time.
 * - `*.cluster.test.ts`: `npm run test:cluster`, one file at a time. Other engines and clusters, each of which a variable of the
 *   environment names; without it, its tests are skipped. Elapsed time is asserted as in `npm run test:faults`.
 * - `*.mutations.test.ts`: `npm run test:mutations`. Removes each guard of the server, and expects a test to fail.
 *
 * Within a file, `inSuite(quick, all)` of test/setup/suite.ts selects the size of a sample.
 */
const SUITES = {
  test: { include: ['test/**/*.test.ts'], exclude: [LONG, ...SUITES_OF_THEIR_OWN] },
  all: { include: ['test/**/*.test.ts'], exclude: SUITES_OF_THEIR_OWN },
  engine: { include: ['test/**/*.test.ts'], exclude: [...SUITES_OF_THEIR_OWN, ...OF_NO_ENGINE] },
  faults: { include: [FAULTS, ...filesWithDeadlines()], maxWorkers: 1 },
  cluster: { include: [CLUSTER], maxWorkers: 1 },
  // What a mutant runs: any file of `test:all`, with the samples of `npm test`.
  // Without its guard, a test may never end.
  mutants: { include: ['test/**/*.test.ts'], exclude: SUITES_OF_THEIR_OWN, testTimeout: 60_000 },
  mutations: { include: [MUTATIONS], maxConcurrency: 2, testTimeout: 600_000 },
}

function filesWithDeadlines(): string[] {
  return globSync('test/**/*.test.ts').filter((file) => readFileSync(file, 'utf8').includes('setup/deadline.ts'))
}

export default defineConfig(({ mode }) => {
  if (!(mode in SUITES)) throw new Error(`--mode must be one of ${Object.keys(SUITES).join(', ')}; it is ${mode}.`)
  return {
    test: {
      globalSetup: ['test/setup/global.ts'],
      setupFiles: ['test/setup/sent-statements.ts'],
      // Vitest would derive it from the mode.
      env: { NODE_ENV: 'test', TEST_SUITE: mode },
      // Only a deadlock reaches these: a test must pass on a machine that is several times slower.
      testTimeout: 240_000,
      hookTimeout: 240_000,
      // Workers also wait for the database and for each other, so two more than the processors are busy.
      maxWorkers: availableParallelism() + 2,
      // Nothing is mocked and each worker has databases of its own, so the server's modules are loaded once for each.
      isolate: false,
      ...SUITES[mode as keyof typeof SUITES],
    },
  }
})
