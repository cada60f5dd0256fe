import { inspect, isDeepStrictEqual } from 'node:util'
import { audit } from '@pointwise/server'
import type { Shop } from '../setup/shop.ts'
import type { CallContext } from './call-arbitraries.ts'
import { describeCall, describeResult } from './describe.ts'
import type { Driver } from './driver.ts'
import { apply } from './model.ts'
import type { Call, Result, ShopState } from './shop-state.ts'

/** The shop differs from the model. The message lists the calls, the actual values and the expected values. */
export class ModelMismatchError extends Error {
  override readonly name = 'ModelMismatchError'
}

/** Runs calls on the shop and on the model, and compares the results. */
export class Scenario implements CallContext {
  readonly calls: Call[] = []
  readonly #driver: Driver
  readonly #log: string[]
  /** More than one while the order in which concurrent calls took effect is not known. */
  #possibleStates: ShopState[]

  constructor(driver: Driver, initialState: ShopState) {
    this.#driver = driver
    this.#possibleStates = [initialState]
    const products = Object.entries(initialState.products).map(
      ([name, { price, stock }]) => `${stock} ${name} at ${price}`,
    )
    const balances = Object.entries(initialState.balances).map(([name, balance]) => `${name} has ${balance}`)
    this.#log = [[...balances, `the shop has ${products.join(', ')}`].join('; ')]
  }

  get state(): ShopState {
    const [state] = this.#possibleStates
    if (!state) throw new Error('The scenario has no possible state.')
    return state
  }

  /**
   * Runs one call, or two concurrent calls. The results must be those of the model, in one order or the other.
   *
   * @throws ModelMismatchError
   */
  async run(...calls: [Call] | [Call, Call]): Promise<void> {
    const results = await Promise.all(calls.map((call) => this.#resultOf(call)))
    this.calls.push(...calls)
    const entries = calls.map((call, index) => `${describeCall(call)} → ${describeResult(results[index] ?? {})}`)
    this.#log.push(entries.join(', and concurrently '))
    const possible = this.#possibleStates.flatMap((state) => applyInEveryOrder(state, calls))
    const matching = possible.filter((each) => isDeepStrictEqual(each.results, results)).map(({ after }) => after)
    if (matching.length === 0) this.#fail(results, distinct(possible.map((each) => each.results)))
    this.#possibleStates = distinct(matching)
  }

  /**
   * Compares the tables with the model, and audits them.
   *
   * @throws ModelMismatchError
   */
  async verifyTables(shop: Shop): Promise<void> {
    const tables = await this.#driver.readTables(shop)
    const expected = distinct(this.#possibleStates.map(tablesOf))
    if (!expected.some((each) => isDeepStrictEqual(each, tables))) this.#fail(tables, expected)
    const { checks } = await audit(shop.db)
    const broken = checks.filter((check) => check.broken > 0)
    if (broken.length > 0) this.#fail(broken, [[]])
  }

  async #resultOf(call: Call): Promise<Result> {
    return this.#driver.run(call).catch((error) => ({ failed: String(error) }))
  }

  #fail(actual: unknown, expected: unknown[]): never {
    const format = (value: unknown) => inspect(value, { depth: 9, breakLength: 110 })
    throw new ModelMismatchError(
      [...this.#log, `Actual: ${format(actual)}`, `Expected: ${expected.map(format).join('\nor ')}`].join('\n'),
    )
  }
}

/** The results in the order of `calls`, and the state after them, for each order in which the calls can take effect. */
function applyInEveryOrder(
  before: ShopState,
  [first, second]: [Call] | [Call, Call],
): { results: Result[]; after: ShopState }[] {
  const firstAlone = apply(before, first)
  if (!second) return [{ results: [firstAlone.result], after: firstAlone.after }]
  const secondAlone = apply(before, second)
  const [secondAfterFirst, firstAfterSecond] = [apply(firstAlone.after, second), apply(secondAlone.after, first)]
  return [
    { results: [firstAlone.result, secondAfterFirst.result], after: secondAfterFirst.after },
    { results: [firstAfterSecond.result, secondAlone.result], after: firstAfterSecond.after },
  ]
}

function distinct<T>(values: T[]): T[] {
  return values.filter((value, index) => values.findIndex((other) => isDeepStrictEqual(other, value)) === index)
}

function tablesOf({ balances, products, orders }: ShopState) {
  return {
    balances,
    products,
    orders: Object.fromEntries(Object.entries(orders).map(([name, { status }]) => [name, status])),
  }
}
