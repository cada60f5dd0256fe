import { inspect, isDeepStrictEqual } from 'node:util'
import { audit } from '@pointwise/server'
import type { Shop } from '../setup/shop.ts'
import type { Known } from './commands.ts'
import { outcome, told } from './describe.ts'
import type { Driver } from './driver.ts'
import { apply } from './model.ts'
import type { Answer, Call, World } from './world.ts'

/** What happened, in plain words, and where the shop and the model part. */
export class StoryBroken extends Error {
  override readonly name = 'StoryBroken'
}

/** The shop and the model side by side. */
export class Story implements Known {
  readonly calls: Call[] = []
  readonly #driver: Driver
  readonly #lines: string[]
  /** Several, while it cannot be told in which order the calls of one moment were carried out. */
  #worlds: World[]

  constructor(driver: Driver, opening: World) {
    this.#driver = driver
    this.#worlds = [opening]
    const goods = Object.entries(opening.products).map(([name, { price, stock }]) => `${stock} ${name} at ${price}`)
    const purses = Object.entries(opening.balances).map(([name, balance]) => `${name} has ${balance}`)
    this.#lines = [[...purses, `the shop has ${goods.join(', ')}`].join('; ')]
  }

  get world(): World {
    const [world] = this.#worlds
    if (!world) throw new Error('No world is left.')
    return world
  }

  /** Makes one call, or two at once, whose answers must be those that the model gives in one order or the other. */
  async make(...calls: [Call] | [Call, Call]): Promise<void> {
    const answers = await Promise.all(calls.map((call) => this.#answer(call)))
    this.calls.push(...calls)
    const lines = calls.map((call, index) => `${told(call)} → ${outcome(answers[index] ?? {})}`)
    this.#lines.push(lines.join(', and at once '))
    const possible = this.#worlds.flatMap((world) => inEveryOrder(world, calls))
    const seen = possible.filter((each) => isDeepStrictEqual(each.answers, answers)).map(({ after }) => after)
    if (seen.length === 0) this.#break(answers, distinct(possible.map((each) => each.answers)))
    this.#worlds = distinct(seen)
  }

  /** The tables are those of the model, and the books are sound. */
  async end(shop: Shop): Promise<void> {
    const tables = await this.#driver.read(shop)
    const expected = distinct(this.#worlds.map(tablesOf))
    if (!expected.some((each) => isDeepStrictEqual(each, tables))) this.#break(tables, expected)
    const { checks } = await audit(shop.db)
    const broken = checks.filter((check) => check.broken > 0)
    if (broken.length > 0) this.#break(broken, [[]])
  }

  async #answer(call: Call): Promise<Answer> {
    return this.#driver.make(call).catch((error) => ({ failed: String(error) }))
  }

  #break(was: unknown, expected: unknown[]): never {
    const shown = (value: unknown) => inspect(value, { depth: 9, breakLength: 110 })
    throw new StoryBroken(
      [...this.#lines, `It was ${shown(was)},`, `and should be ${expected.map(shown).join('\nor ')}.`].join('\n'),
    )
  }
}

/** The answers that the model gives, in the sequence of the calls, and the world it leaves. */
function inEveryOrder(before: World, [first, second]: [Call] | [Call, Call]): { answers: Answer[]; after: World }[] {
  const one = apply(before, first)
  if (!second) return [{ answers: [one.answer], after: one.after }]
  const other = apply(before, second)
  const [then, thenFirst] = [apply(one.after, second), apply(other.after, first)]
  return [
    { answers: [one.answer, then.answer], after: then.after },
    { answers: [thenFirst.answer, other.answer], after: thenFirst.after },
  ]
}

function distinct<T>(values: T[]): T[] {
  return values.filter((value, index) => values.findIndex((other) => isDeepStrictEqual(other, value)) === index)
}

function tablesOf({ balances, products, orders }: World) {
  return {
    balances,
    products,
    orders: Object.fromEntries(Object.entries(orders).map(([name, { status }]) => [name, status])),
  }
}
