import fc from 'fast-check'
import { type Intent, intent, pair } from './commands.ts'
import type { Story } from './scenario.ts'
import type { Call } from './world.ts'

/** One call, or two at once. */
class Step implements fc.AsyncCommand<Story, Story, boolean> {
  readonly #first: Intent
  readonly #second: Intent | undefined

  constructor(first: Intent, second?: Intent) {
    this.#first = first
    this.#second = second
  }

  async check(story: Story): Promise<boolean> {
    return this.#calls(story) !== undefined
  }

  async run(story: Story): Promise<void> {
    const calls = this.#calls(story)
    if (calls) await story.make(...calls)
  }

  #calls({ world, calls }: Story): [Call] | [Call, Call] | undefined {
    const first = this.#first({ world, calls })
    if (!first || !this.#second) return first && [first]
    const second = this.#second({ world, calls: [...calls, first] })
    return second && [first, second]
  }
}

const one = intent.map((intent) => new Step(intent))
const two = pair.map(([first, second]) => new Step(first, second))

export const stepsUpTo = (maxCommands: number, replayPath: string | undefined) =>
  fc.commands<Story, Story, boolean>([one, one, two], { maxCommands, size: 'max', ...(replayPath && { replayPath }) })
