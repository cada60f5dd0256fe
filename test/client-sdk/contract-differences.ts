import type { Contract } from '../../server/src/openapi/contract.ts'

/** What is another than before, and whether a client that relied on it breaks. */
export interface Difference {
  where: string
  what: string
  breaks: boolean
}

type Schema = { [keyword: string]: unknown }
type Direction = 'input' | 'output'
type Procedure = Contract['procedures'][string]

/** Keywords with a number, by whether they bound a value from below or from above. */
const BOUNDS = {
  minimum: 'below',
  minLength: 'below',
  minItems: 'below',
  maximum: 'above',
  maxLength: 'above',
  maxItems: 'above',
} as const
/** Keywords that say what a value has to be beside its type. */
const DEMANDS = ['pattern', 'format', 'not', 'const']

/** Every difference between two contracts, and what it means to a client of the older one. */
export function differences(before: Contract, after: Contract): Difference[] {
  return [
    ...members(before.procedures, after.procedures, {
      place: (path) => path,
      compare: (path, old, now) => [
        ...changed(`${path}: its type`, old.type, now.type),
        ...inputDifferences(`${path} input`, old, now, [before, after]),
        ...schemaDifferences(`${path} output`, 'output', resolved(old.output, before), resolved(now.output, after)),
        ...codeDifferences(path, old.refusals, now.refusals),
      ],
    }),
    ...members(before.refusals, after.refusals, {
      place: (code) => `refusal ${code}`,
      compare: (code, old, now) => [
        ...changed(`refusal ${code}: its status`, old.status, now.status),
        ...changed(`refusal ${code}: its retry`, old.retry, now.retry),
        ...schemaDifferences(`refusal ${code}`, 'output', old.details, now.details),
      ],
    }),
  ]
}

function inputDifferences(where: string, old: Procedure, now: Procedure, [before, after]: [Contract, Contract]) {
  const found: Difference[] = []
  if (old.mayOmitInput && !now.mayOmitInput) found.push({ where, what: 'is required now', breaks: true })
  if (!old.mayOmitInput && now.mayOmitInput) found.push({ where, what: 'may be left out now', breaks: false })
  if (old.input && !now.input) found.push({ where, what: 'is gone', breaks: true })
  if (!old.input && now.input) found.push({ where, what: 'is new', breaks: !now.mayOmitInput })
  if (!old.input || !now.input) return found
  return [...found, ...schemaDifferences(where, 'input', resolved(old.input, before), resolved(now.input, after))]
}

/** A switch over codes: one that is gone is an error of the compiler, one that is new it asks for at the next update. */
function codeDifferences(path: string, before: string[], after: string[]): Difference[] {
  const named = (codes: string[]) => Object.fromEntries(codes.map((code) => [code, code]))
  return members(named(before), named(after), { place: (code) => `${path} refusal ${code}`, compare: () => [] })
}

interface Comparison<Member> {
  place: (name: string) => string
  compare: (name: string, before: Member, after: Member) => Difference[]
  /** Whether one that is new breaks; false where nothing is said. */
  doesNewBreak?: (name: string) => boolean
}

/** Members by name: one that is gone breaks. */
function members<Member>(
  before: Record<string, Member>,
  after: Record<string, Member>,
  { place, compare, doesNewBreak = () => false }: Comparison<Member>,
): Difference[] {
  const gone = Object.keys(before).filter((name) => !(name in after))
  const added = Object.keys(after).filter((name) => !(name in before))
  return [
    ...gone.map((name) => ({ where: place(name), what: 'is gone', breaks: true })),
    ...added.map((name) => ({ where: place(name), what: 'is new', breaks: doesNewBreak(name) })),
    ...Object.entries(before).flatMap(([name, old]) => {
      const now = after[name]
      return now === undefined ? [] : compare(name, old, now)
    }),
  ]
}

function changed(where: string, before: unknown, after: unknown): Difference[] {
  if (JSON.stringify(before) === JSON.stringify(after)) return []
  return [{ where, what: `was ${tell(before)} and is ${tell(after)}`, breaks: true }]
}

const tell = (value: unknown) => JSON.stringify(value) ?? 'nothing'

/** A schema with what it refers to in place. */
function resolved(schema: Schema, contract: Contract): Schema {
  return JSON.parse(JSON.stringify(schema), (_key, value) => {
    const name = typeof value?.$ref === 'string' ? value.$ref.split('/').at(-1) : undefined
    return name === undefined ? value : resolved(contract.named[name] ?? {}, contract)
  })
}

/** What may be answered beside what was answered before is new to a client; what may be asked beside it is not. */
function schemaDifferences(where: string, direction: Direction, before: Schema, after: Schema): Difference[] {
  return members(alternatives(before), alternatives(after), {
    place: (kind) => `${where} as ${kind}`,
    doesNewBreak: () => direction === 'output',
    compare: (_kind, old, now) => [
      ...fieldDifferences(where, direction, old, now),
      ...valueDifferences(where, direction, old, now),
      ...['items', 'additionalProperties'].flatMap((part) =>
        isSchema(old[part]) && isSchema(now[part])
          ? schemaDifferences(`${where}[]`, direction, old[part], now[part])
          : [],
      ),
    ],
  })
}

/** What a value may be, by kind: of a text or null, `string` and `null`. */
function alternatives(schema: Schema): Record<string, Schema> {
  if (Array.isArray(schema.anyOf)) return Object.assign({}, ...schema.anyOf.map(alternatives))
  if (Array.isArray(schema.type)) return Object.fromEntries(schema.type.map((type) => [type, { ...schema, type }]))
  return { [String(schema.type ?? 'value')]: schema }
}

function fieldDifferences(where: string, direction: Direction, before: Schema, after: Schema): Difference[] {
  const wasRequired = new Set(before.required as string[])
  const isRequired = new Set(after.required as string[])
  const place = (name: string) => `${where}.${name}`
  return members(fieldsOf(before), fieldsOf(after), {
    place,
    doesNewBreak: (name) => direction === 'input' && isRequired.has(name),
    compare: (name, old, now) => {
      const found = schemaDifferences(place(name), direction, old, now)
      if (wasRequired.has(name) === isRequired.has(name)) return found
      const what = isRequired.has(name) ? 'is required now' : 'may be absent now'
      return [...found, { where: place(name), what, breaks: (direction === 'input') === isRequired.has(name) }]
    },
  })
}

function fieldsOf({ properties }: Schema): Record<string, Schema> {
  return isSchema(properties) ? (properties as Record<string, Schema>) : {}
}

function valueDifferences(where: string, direction: Direction, before: Schema, after: Schema): Difference[] {
  const isInput = direction === 'input'
  const demands = DEMANDS.flatMap((keyword) =>
    changed(`${where}: its ${keyword}`, before[keyword], after[keyword]).map((each) => ({
      ...each,
      breaks: !isInput || after[keyword] !== undefined,
    })),
  )
  const bounds = Object.entries(BOUNDS).flatMap(([keyword, from]) => {
    const [old, now] = [before[keyword], after[keyword]].map((bound) => Number(bound ?? Number.NaN)) as [number, number]
    const widens = Number.isNaN(now) || (from === 'below' ? now <= old : now >= old)
    return changed(`${where}: its ${keyword}`, before[keyword], after[keyword]).map((each) => ({
      ...each,
      breaks: isInput && !widens,
    }))
  })
  return [
    ...changed(`${where}: its default`, before.default, after.default),
    ...demands,
    ...bounds,
    ...choiceDifferences(where, isInput, before.enum, after.enum),
  ]
}

/** A value that cannot come any more is an error of the compiler where a client asks for it. */
function choiceDifferences(where: string, isInput: boolean, before: unknown, after: unknown): Difference[] {
  if (!Array.isArray(before) || !Array.isArray(after)) {
    return changed(`${where}: its choice`, before, after).map((each) => ({ ...each, breaks: !isInput || !!after }))
  }
  const named = (values: unknown[]) => Object.fromEntries(values.map((value) => [String(value), value]))
  const place = (value: string) => `${where} as ${tell(value)}`
  return members(named(before), named(after), { place, compare: () => [], doesNewBreak: () => !isInput })
}

function isSchema(value: unknown): value is Schema {
  return typeof value === 'object' && value !== null
}
