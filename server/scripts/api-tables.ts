import { type ProcedureDescription, procedureDescriptions } from '../src/openapi/describe-procedures.ts'
import { type Translated, translate } from '../src/openapi/json-schema.ts'
import { refusalDescriptions } from '../src/openapi/refusal-schemas.ts'
import { replaceSection, table } from './markdown.ts'
import { signature } from './signature.ts'

const ACCESS = { public: '–', user: 'U', admin: 'A' }

/** The tables of the README, by the name between whose marks they stand. */
const TABLES: Record<string, () => string> = { procedures, refusals }

/** A page with its tables as they should be. */
export function withTables(page: string): string {
  return Object.entries(TABLES).reduce(
    (text, [name, write]) => replaceSection(text, name, { by: 'npm run docs', text: write() }),
    page,
  )
}

function procedures(): string {
  const named = Object.assign(
    {},
    ...procedureDescriptions.map(({ output }) => output && translate(output, 'output').named),
  )
  const rows = procedureDescriptions.map((procedure) => row(procedure, named))
  const types = Object.entries<object>(named).map(
    ([name, schema]) => `\`${name} ${signature({ ...schema }, { ...named, [name]: {} })}\``,
  )
  return `${table(['procedure', 'who', 'input', 'answer'], rows)}\n\n${types.join(' ·\n')}`
}

function row({ path, type, meta, input, output }: ProcedureDescription, named: Translated['named']): string[] {
  const asked = input && translate(input, 'input')
  const answer = output && translate(output, 'output')
  const what = answer && signature(answer.schema, named)
  const note = answer?.schema.description ? `, ${answer.schema.description}` : ''
  return [
    path,
    ACCESS[meta.access ?? 'public'],
    code(asked && signature(asked.schema, {})),
    `${type === 'subscription' ? 'each time: ' : ''}${code(what)}${note}`,
  ]
}

/** What stands in front of a type is not one. */
function code(text: string | undefined): string {
  const [, count = '', type] = /^(up to \d+ × )?(.*)$/.exec(text ?? '') ?? []
  return type ? `${count}\`${type}\`` : '–'
}

function refusals(): string {
  return table(
    ['code', 'HTTP', 'details', 'retry'],
    refusalDescriptions.map(({ code, httpStatus, details, retry }) => [
      code,
      String(httpStatus),
      details.join(', ') || '–',
      retry,
    ]),
  )
}
