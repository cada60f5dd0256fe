import { readFileSync } from 'node:fs'
import { join, resolve } from 'node:path'

const ROOT = resolve(import.meta.dirname, '../..')

export interface Snippet {
  /** From its page and its position on the page; also the name of its file. */
  name: string
  imports: string[]
  body: string[]
}

/** The TypeScript snippets of a Markdown page. */
export function snippetsOf(page: string): Snippet[] {
  const text = readFileSync(join(ROOT, page), 'utf8')
  return [...text.matchAll(/^```tsx?\n([\s\S]*?)^```/gm)].map(([, code = ''], index) => {
    const lines = code.split('\n')
    const isImport = (line: string) => line.startsWith('import ')
    return {
      name: `${page.replaceAll(/\W/g, '-')}-${index + 1}`,
      imports: lines.filter(isImport),
      body: lines.filter((line) => !isImport(line)),
    }
  })
}

/** A module whose function runs the snippet with its variables as parameters, and returns a result. */
export const moduleOf = ({ imports, body }: Snippet, { parameters = '', result = '' } = {}) =>
  [...imports, `export async function run(${parameters}) {`, ...body, result, '}', ''].join('\n')

/** The one snippet that contains `part`. */
export function snippetWith(snippets: readonly Snippet[], part: string): Snippet {
  const [snippet, ...others] = snippets.filter(({ body }) => body.join('\n').includes(part))
  if (!snippet || others.length > 0) throw new Error(`${part} is not in one snippet.`)
  return snippet
}
