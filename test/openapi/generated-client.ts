import { execFile } from 'node:child_process'
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { promisify } from 'node:util'
import type { Client } from 'openapi-fetch'
import { answeringOperations, type Operation } from './operations.ts'

const run = promisify(execFile)
const ROOT = resolve(import.meta.dirname, '../..')
const bin = (name: string, path: string) => fileURLToPath(new URL(path, import.meta.resolve(`${name}/package.json`)))

const TSCONFIG = {
  extends: join(ROOT, 'tsconfig.json'),
  compilerOptions: { types: [], skipLibCheck: false },
  include: ['.'],
  exclude: [],
}

type Answer = Promise<{ answer?: unknown; refusal?: unknown; status: number }>

export interface GeneratedClient extends AsyncDisposable {
  /** What the compiler said. */
  complaints: string
  /** Calls each operation with the input of its example. */
  calls: Record<string, (client: Client<object>) => Answer>
}

/** Has openapi-typescript make types from the document, and compiles a program with them that makes every example's call. */
export async function generateClient(document: object): Promise<GeneratedClient> {
  await mkdir(join(ROOT, '.pointwise'), { recursive: true })
  const folder = await mkdtemp(join(ROOT, '.pointwise/openapi-'))
  const file = (name: string) => join(folder, name)
  await writeFile(file('openapi.json'), JSON.stringify(document))
  await writeFile(file('tsconfig.json'), JSON.stringify(TSCONFIG))
  await writeFile(file('calls.ts'), program(answeringOperations(document)))
  const generator = bin('openapi-typescript', 'bin/cli.js')
  const hook = join(import.meta.dirname, 'typescript-5.ts')
  await run(process.execPath, ['--import', hook, generator, file('openapi.json'), '-o', file('paths.ts')])
  const complaints = await run(process.execPath, [
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
  return { complaints, calls, [Symbol.asyncDispose]: () => rm(folder, { recursive: true }) }
}

function program(described: Operation[]): string {
  return `import type { Client } from 'openapi-fetch'
import type { paths } from './paths.ts'

export const calls = {
${described.map(call).join('\n')}
}
`
}

/** Reads the answer and the refusal by name, so that the compiler says whether they are where the document says. */
function call({ name, path, method, input }: Operation): string {
  const value = JSON.stringify(input)
  // To the types, a parameter that is described by its content is a text.
  const parameters = method === 'post' ? `body: ${value}` : `params: { query: { input: JSON.stringify(${value}) } }`
  return `  '${name}': async (client: Client<paths>) => {
    const { data, error, response } = await client.${method.toUpperCase()}('${path}'${input ? `, { ${parameters} }` : ''})
    return { answer: data?.result.data.json, refusal: error?.error.json.data.refusal, status: response.status }
  },`
}
