import { execFile } from 'node:child_process'
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { promisify } from 'node:util'
import type { Client } from 'openapi-fetch'
import { exampleOf, isStream, type Operation, operations } from './operations.ts'

const run = promisify(execFile)
const ROOT = resolve(import.meta.dirname, '../..')
const bin = (name: string, path: string) => fileURLToPath(new URL(path, import.meta.resolve(`${name}/package.json`)))

const TSCONFIG = {
  extends: join(ROOT, 'tsconfig.json'),
  compilerOptions: { types: [], skipLibCheck: false },
  include: ['.'],
  exclude: [],
}

interface Answer {
  answer?: unknown
  refusal?: unknown
  status: number
  /** For a subscription: the first change of the same type as the example, or the refusal. */
  first?: Promise<{ id?: string; answer?: unknown; refusal?: unknown }>
}

/** Parses the events of a stream into the form that the document describes. */
export type ReadEvents = (body: ReadableStream<Uint8Array> | null | undefined) => AsyncIterable<unknown>

export interface GeneratedClient extends AsyncDisposable {
  /** The output of the compiler; empty if the program compiles. */
  compilerErrors: string
  /** For each operation, a call with the input of its example. */
  calls: Record<string, (client: Client<object>, read: ReadEvents) => Promise<Answer>>
}

/** Generates types from the document with openapi-typescript, and compiles a program that makes the call of every example. */
export async function generateClient(document: object): Promise<GeneratedClient> {
  await mkdir(join(ROOT, '.pointwise'), { recursive: true })
  const folder = await mkdtemp(join(ROOT, '.pointwise/openapi-'))
  const file = (name: string) => join(folder, name)
  await writeFile(file('openapi.json'), JSON.stringify(document))
  await writeFile(file('tsconfig.json'), JSON.stringify(TSCONFIG))
  await writeFile(file('calls.ts'), program(document))
  const generator = bin('openapi-typescript', 'bin/cli.js')
  const hook = join(import.meta.dirname, 'typescript-5.ts')
  await run(process.execPath, ['--import', hook, generator, file('openapi.json'), '-o', file('paths.ts')])
  const compilerErrors = await run(process.execPath, [
    bin('typescript', 'bin/tsc'),
    '-p',
    folder,
    '--pretty',
    'false',
  ]).then(
    () => '',
    ({ stdout }: { stdout: string }) => stdout,
  )
  const { calls } = await import(pathToFileURL(file('calls.ts')).href)
  return { compilerErrors, calls, [Symbol.asyncDispose]: () => rm(folder, { recursive: true }) }
}

function program(document: object): string {
  const documented = operations(document)
  return `import type { Client } from 'openapi-fetch'
import type { paths } from './paths.ts'

type Read = <Event>(body: ReadableStream<Uint8Array> | null | undefined) => AsyncIterable<Event>

export const calls = {
${documented.map((operation) => (isStream(operation) ? subscriptionCall(operation, exampleType(document, operation)) : call(operation))).join('\n')}
}
`
}

/** In the generated types, a parameter with a content type is a string. */
const inQuery = (input: unknown) =>
  input ? `params: { query: { input: JSON.stringify(${JSON.stringify(input)}) } }, ` : ''

/** Reads the result and the refusal by name, so that the compiler checks where the document places them. */
function call({ name, path, method, input }: Operation): string {
  const parameters = method === 'post' ? `body: ${JSON.stringify(input)}` : inQuery(input)
  return `  '${name}': async (client: Client<paths>) => {
    const { data, error, response } = await client.${method.toUpperCase()}('${path}'${input ? `, { ${parameters} }` : ''})
    return { answer: data?.result.data.json, refusal: error?.error.json.data.refusal, status: response.status }
  },`
}

function exampleType(document: object, operation: Operation): string {
  const example = exampleOf(document, operation) as { data: { json: { type: string } } } | undefined
  return example?.data.json.type ?? ''
}

/** Reads the stream until a change of this type arrives. */
function subscriptionCall({ name, path, input }: Operation, type: string): string {
  return `  '${name}': async (client: Client<paths>, read: Read) => {
    const { data, error, response } = await client.GET('${path}', { ${inQuery(input)}parseAs: 'stream' })
    const first = async () => {
      for await (const each of read<paths['${path}']['get']['responses'][200]['content']['text/event-stream']>(data)) {
        if (each.event === 'serialized-error') return { refusal: each.data.json.data.refusal }
        if (each.event === 'message' && each.data.json.type === '${type}') return { id: each.id, answer: each.data.json }
      }
      return {}
    }
    return { refusal: error?.error.json.data.refusal, status: response.status, first: first() }
  },`
}
