import { existsSync, readFileSync } from 'node:fs'
import { dirname } from 'node:path'
import ts from 'typescript-5'

export interface Hover {
  /** The line of the source, from 1. */
  line: number
  /** What the comment below it says that an editor shows; after `…` comes more. */
  expected: string
  text: string
}

const MARK = /^\/\/( *)\^ (.*)$/
const OPTIONS: ts.CompilerOptions = {
  target: ts.ScriptTarget.ES2022,
  lib: ['lib.es2022.d.ts', 'lib.dom.d.ts', 'lib.dom.iterable.d.ts', 'lib.esnext.disposable.d.ts'],
  module: ts.ModuleKind.NodeNext,
  types: [],
  strict: true,
  noErrorTruncation: true,
}

/** What an editor shows at each place that the comments of a source mark. */
export function hovers(file: string, source: string): Hover[] {
  const service = ts.createLanguageService(hostOf(file))
  const lines = source.split('\n')
  return lines.flatMap((comment, index) => {
    const [, indent, expected = ''] = MARK.exec(comment) ?? []
    if (indent === undefined) return []
    const start = lines.slice(0, index - 1).reduce((length, line) => length + line.length + 1, 0)
    const info = service.getQuickInfoAtPosition(file, start + '//'.length + indent.length)
    const text = ts.displayPartsToString(info?.displayParts ?? []).replace(/\s+/g, ' ')
    const [beginning = '', isCut] = expected.split('…')
    return [{ line: index, expected, text: isCut === undefined ? text : text.startsWith(beginning) ? expected : text }]
  })
}

function hostOf(file: string): ts.LanguageServiceHost {
  return {
    getScriptFileNames: () => [file],
    getScriptVersion: () => '1',
    getScriptSnapshot: (name) =>
      existsSync(name) ? ts.ScriptSnapshot.fromString(readFileSync(name, 'utf8')) : undefined,
    getCurrentDirectory: () => dirname(file),
    getCompilationSettings: () => OPTIONS,
    getDefaultLibFileName: (options) => ts.getDefaultLibFilePath(options),
    fileExists: ts.sys.fileExists,
    readFile: ts.sys.readFile,
    readDirectory: ts.sys.readDirectory,
    directoryExists: ts.sys.directoryExists,
    getDirectories: ts.sys.getDirectories,
  }
}
