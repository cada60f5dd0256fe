import { existsSync, readFileSync } from 'node:fs'
import { dirname } from 'node:path'
import ts from 'typescript-5'

export interface Hover {
  /** The line of the source; the first is 1. */
  line: number
  /** The text that the comment below the line demands; `…` stands for any continuation. */
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

/** The quick info that an editor shows at each position marked by a comment in the source. */
export function hovers(file: string, source: string): Hover[] {
  const service = ts.createLanguageService(hostOf(file))
  const lines = source.split('\n')
  return lines.flatMap((comment, index) => {
    const [, indent, expected = ''] = MARK.exec(comment) ?? []
    if (indent === undefined) return []
    const start = lines.slice(0, index - 1).reduce((length, line) => length + line.length + 1, 0)
    const info = service.getQuickInfoAtPosition(file, start + '//'.length + indent.length)
    const text = ts.displayPartsToString(info?.displayParts ?? []).replace(/\s+/g, ' ')
    const [prefix = '', continuation] = expected.split('…')
    return [{ line: index, expected, text: continuation !== undefined && text.startsWith(prefix) ? expected : text }]
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
