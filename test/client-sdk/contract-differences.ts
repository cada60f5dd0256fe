import type { Contract } from '../../server/src/openapi/contract.ts'

/** A difference between two contracts, and whether it breaks clients or consumers of the older one. */
export interface Difference {
  where: string
  what: string
  breaks: boolean
}

type Schema = { [keyword: string]: unknown }
/**
 * How a schema is used. Clients use the outputs of procedures as they are. Consumers of events validate and store them, so that
 * a value outside of the old range breaks a consumer.
 */
type Direction = 'input' | 'output' | 'event'
type Procedure = Contract['procedures'][string]

/** Numeric keywords, by whether they are a lower or an upper bound. */
const BOUNDS = {
  minimum: 'lower',
  minLength: 'lower',
  minItems: 'lower',
  maximum: 'upper',
  maxLength: 'upper',
  maxItems: 'upper',
  exclusiveMinimum: 'lower',
  exclusiveMaximum: 'upper',
} as const
/** Keywords whose value is the schema of each part of the value. */
const PARTS = ['items', 'additionalProperties']
/** The keywords that are compared by what they mean. Any change of another keyword is a difference. */
const COMPARED = [
  'type',
  'properties',
  'required',
  'anyOf',
  'oneOf',
  'default',
  'enum',
  ...PARTS,
  ...Object.keys(BOUNDS),
]

/** Returns every difference between two contracts. */
export function differences(before: Contract, after: Contract): Difference[] {
  return [
    ...members(before.procedures, after.procedures, {
      locate: (path) => path,
      compare: (path, old, now) => [
        ...changed(`${path}: its type`, old.type, now.type),
        ...inputDifferences(`${path} input`, old, now, [before, after]),
        ...schemaDifferences(`${path} output`, 'output', resolved(old.output, before), resolved(now.output, after)),
        ...codeDifferences(path, old.refusals, now.refusals),
      ],
    }),
    ...members(before.refusals, after.refusals, {
      locate: (code) => `refusal ${code}`,
      compare: (code, old, now) => [
        ...changed(`refusal ${code}: its status`, old.status, now.status),
        ...changed(`refusal ${code}: its retry`, old.retry, now.retry),
        ...schemaDifferences(`refusal ${code}`, 'output', old.details, now.details),
      ],
    }),
    ...members(before.events, after.events, {
      locate: (type) => `event ${type}`,
      compare: (type, old, now) => [
        ...changed(`event ${type}: its key`, old.key, now.key),
        ...schemaDifferences(`event ${type}`, 'event', old.payload, now.payload),
      ],
    }),
    ...schemaDifferences('event headers', 'event', before.eventHeaders, after.eventHeaders),
  ]
}

function inputDifferences(where: string, old: Procedure, now: Procedure, [before, after]: [Contract, Contract]) {
  const found: Difference[] = []
  if (old.mayOmitInput && !now.mayOmitInput) found.push({ where, what: 'is required now', breaks: true })
  if (!old.mayOmitInput && now.mayOmitInput) found.push({ where, what: 'is optional now', breaks: false })
  if (old.input && !now.input) found.push({ where, what: 'was removed', breaks: true })
  if (!old.input && now.input) found.push({ where, what: 'was added', breaks: !now.mayOmitInput })
  if (!old.input || !now.input) return found
  return [...found, ...schemaDifferences(where, 'input', resolved(old.input, before), resolved(now.input, after))]
}

/** A removed code breaks the compilation of a `switch` over the codes. An added code only demands another case. */
function codeDifferences(path: string, before: string[], after: string[]): Difference[] {
  const byName = (codes: string[]) => Object.fromEntries(codes.map((code) => [code, code]))
  return members(byName(before), byName(after), { locate: (code) => `${path} refusal ${code}`, compare: () => [] })
}

interface Comparison<Member> {
  locate: (name: string) => string
  compare: (name: string, before: Member, after: Member) => Difference[]
  /** Whether an added member breaks clients; by default it does not. */
  doesAddedBreak?: (name: string) => boolean
}

/** Compares members by name. A removed member breaks clients. */
function members<Member>(
  before: Record<string, Member>,
  after: Record<string, Member>,
  { locate, compare, doesAddedBreak = () => false }: Comparison<Member>,
): Difference[] {
  const removed = Object.keys(before).filter((name) => !(name in after))
  const added = Object.keys(after).filter((name) => !(name in before))
  return [
    ...removed.map((name) => ({ where: locate(name), what: 'was removed', breaks: true })),
    ...added.map((name) => ({ where: locate(name), what: 'was added', breaks: doesAddedBreak(name) })),
    ...Object.entries(before).flatMap(([name, old]) => {
      const now = after[name]
      return now === undefined ? [] : compare(name, old, now)
    }),
  ]
}

function changed(where: string, before: unknown, after: unknown): Difference[] {
  if (JSON.stringify(before) === JSON.stringify(after)) return []
  return [{ where, what: `was ${format(before)} and is ${format(after)}`, breaks: true }]
}

const format = (value: unknown) => JSON.stringify(value) ?? 'nothing'

/** The schema with its references resolved. */
function resolved(schema: Schema, contract: Contract): Schema {
  return JSON.parse(JSON.stringify(schema), (_key, value) => {
    const name = typeof value?.$ref === 'string' ? value.$ref.split('/').at(-1) : undefined
    return name === undefined ? value : resolved(contract.named[name] ?? {}, contract)
  })
}

/** A value that the server may additionally return can break a client; one that it additionally accepts cannot. */
function schemaDifferences(where: string, direction: Direction, before: Schema, after: Schema): Difference[] {
  return members(alternatives(before), alternatives(after), {
    locate: (type) => `${where} as ${type}`,
    doesAddedBreak: () => direction !== 'input',
    compare: (_type, old, now) => [
      ...fieldDifferences(where, direction, old, now),
      ...valueDifferences(where, direction, old, now),
      ...PARTS.flatMap((part) =>
        isSchema(old[part]) && isSchema(now[part])
          ? schemaDifferences(`${where}[]`, direction, old[part], now[part])
          : constraintDifferences(where, direction, part, old, now),
      ),
    ],
  })
}

/**
 * The alternatives of a schema, by type: a nullable text has the alternatives `string` and `null`. Objects of a union are
 * distinguished by the fields that have fixed values.
 */
function alternatives(schema: Schema): Record<string, Schema> {
  const union = [schema.anyOf, schema.oneOf].find(Array.isArray)
  if (union) {
    const members = union.flatMap((each: Schema) => Object.values(alternatives(each)))
    const byName = Map.groupBy(members, (each) => [each.type ?? 'value', ...fixedFields(each)].join(' '))
    return Object.fromEntries(
      [...byName].flatMap(([name, [first = {}, ...others]]) => [
        [name, first],
        ...others.map((each, index) => [`${name} ${index + 2}`, each]),
      ]),
    )
  }
  if (Array.isArray(schema.type)) return Object.fromEntries(schema.type.map((type) => [type, { ...schema, type }]))
  return { [String(schema.type ?? 'value')]: schema }
}

function fixedFields(schema: Schema): string[] {
  return Object.entries(fieldsOf(schema)).flatMap(([name, { const: value, enum: values = value }]) =>
    values === undefined ? [] : [`${name}=${format(values)}`],
  )
}

function fieldDifferences(where: string, direction: Direction, before: Schema, after: Schema): Difference[] {
  const wasRequired = new Set(before.required as string[])
  const isRequired = new Set(after.required as string[])
  const locate = (name: string) => `${where}.${name}`
  return members(fieldsOf(before), fieldsOf(after), {
    locate,
    doesAddedBreak: (name) => direction === 'input' && isRequired.has(name),
    compare: (name, old, now) => {
      const found = schemaDifferences(locate(name), direction, old, now)
      if (wasRequired.has(name) === isRequired.has(name)) return found
      const what = isRequired.has(name) ? 'is required now' : 'is optional now'
      return [...found, { where: locate(name), what, breaks: (direction === 'input') === isRequired.has(name) }]
    },
  })
}

function fieldsOf({ properties }: Schema): Record<string, Schema> {
  return isSchema(properties) ? (properties as Record<string, Schema>) : {}
}

function valueDifferences(where: string, direction: Direction, before: Schema, after: Schema): Difference[] {
  const others = new Set(
    [...Object.keys(before), ...Object.keys(after)].filter((keyword) => !COMPARED.includes(keyword)),
  )
  return [
    ...changed(`${where}: its default`, before.default, after.default),
    ...[...others].flatMap((keyword) => constraintDifferences(where, direction, keyword, before, after)),
    ...boundDifferences(where, direction, before, after),
    ...choiceDifferences(where, direction, before, after),
  ]
}

/** A keyword that restricts a value, in a way that is not compared further. */
function constraintDifferences(where: string, direction: Direction, keyword: string, before: Schema, after: Schema) {
  const [old, now] = [before[keyword], after[keyword]]
  const breaks = { input: now !== undefined, output: true, event: old !== undefined }[direction]
  return changed(`${where}: its ${keyword}`, old, now).map((each) => ({ ...each, breaks }))
}

function boundDifferences(where: string, direction: Direction, before: Schema, after: Schema): Difference[] {
  return Object.entries(BOUNDS).flatMap(([keyword, bound]) => {
    const [old, now] = [before[keyword], after[keyword]].map((value) => Number(value ?? Number.NaN)) as [number, number]
    const widens = Number.isNaN(now) || (bound === 'lower' ? now <= old : now >= old)
    return changed(`${where}: its ${keyword}`, before[keyword], after[keyword]).map((each) => ({
      ...each,
      breaks: { input: !widens, output: false, event: widens }[direction],
    }))
  })
}

/** Removing a value from an output breaks the compilation of clients that compare with it. */
function choiceDifferences(where: string, direction: Direction, before: Schema, after: Schema): Difference[] {
  const [old, now] = [before.enum, after.enum]
  if (!Array.isArray(old) || !Array.isArray(now)) {
    return constraintDifferences(where, direction, 'enum', before, after)
  }
  const byName = (values: unknown[]) => Object.fromEntries(values.map((value) => [String(value), value]))
  const locate = (value: string) => `${where} as ${format(value)}`
  return members(byName(old), byName(now), { locate, compare: () => [], doesAddedBreak: () => direction !== 'input' })
}

function isSchema(value: unknown): value is Schema {
  return typeof value === 'object' && value !== null
}
