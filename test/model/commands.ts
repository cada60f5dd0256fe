import fc from 'fast-check'
import { type CallFactory, callFactory, callFactoryPair } from './call-arbitraries.ts'
import type { Scenario } from './scenario.ts'
import type { Call } from './shop-state.ts'

/** One call, or two concurrent calls. */
class CallCommand implements fc.AsyncCommand<Scenario, Scenario, boolean> {
  readonly #first: CallFactory
  readonly #second: CallFactory | undefined

  constructor(first: CallFactory, second?: CallFactory) {
    this.#first = first
    this.#second = second
  }

  async check(scenario: Scenario): Promise<boolean> {
    return this.#calls(scenario) !== undefined
  }

  async run(scenario: Scenario): Promise<void> {
    const calls = this.#calls(scenario)
    if (calls) await scenario.run(...calls)
  }

  #calls({ state, calls }: Scenario): [Call] | [Call, Call] | undefined {
    const first = this.#first({ state, calls })
    if (!first || !this.#second) return first && [first]
    const second = this.#second({ state, calls: [...calls, first] })
    return second && [first, second]
  }
}

const single = callFactory.map((factory) => new CallCommand(factory))
const concurrent = callFactoryPair.map(([first, second]) => new CallCommand(first, second))

export const commandsUpTo = (maxCommands: number, replayPath: string | undefined) =>
  fc.commands<Scenario, Scenario, boolean>([single, single, concurrent], {
    maxCommands,
    size: 'max',
    ...(replayPath && { replayPath }),
  })
