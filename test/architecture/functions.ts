import ts from 'typescript-5'
import type { Source } from './sources.ts'

interface FunctionNode {
  path: string
  line: number
  lines: number
  /** A callback of `describe`, which contains the tests of a group. */
  isTestGroup: boolean
}

/** Every function of a source: declarations, methods, accessors, arrow functions and function expressions. */
export function functionsOf({ path, text }: Source): FunctionNode[] {
  const file = ts.createSourceFile(path, text, ts.ScriptTarget.Latest, true)
  const found: FunctionNode[] = []
  const lineAt = (position: number) => file.getLineAndCharacterOfPosition(position).line + 1
  const visit = (node: ts.Node): void => {
    if (ts.isFunctionLike(node) && 'body' in node && node.body) {
      const start = node.getStart(file)
      found.push({
        path,
        line: lineAt(start),
        lines: lineAt(node.end) - lineAt(start) + 1,
        isTestGroup: ts.isCallExpression(node.parent) && /^describe\b/.test(node.parent.expression.getText(file)),
      })
    }
    ts.forEachChild(node, visit)
  }
  visit(file)
  return found
}

/** The uses of methods (`file:line`), and whether a function whose first parameter has the type encloses each of them. */
export function usesOfMethods(
  source: Source,
  methods: string[],
  parameterType: string,
): { position: string; isInside: boolean }[] {
  const file = ts.createSourceFile(source.path, source.text, ts.ScriptTarget.Latest, true)
  const found: { position: string; isInside: boolean }[] = []
  const visit = (node: ts.Node, isInside: boolean): void => {
    const isFunctionWithType = ts.isFunctionLike(node) && node.parameters[0]?.type?.getText(file) === parameterType
    const inside = isInside || isFunctionWithType
    if (ts.isPropertyAccessExpression(node) && methods.includes(node.name.text)) {
      const { line } = file.getLineAndCharacterOfPosition(node.name.getStart(file))
      found.push({ position: `${source.path}:${line + 1}`, isInside: inside })
    }
    ts.forEachChild(node, (child) => visit(child, inside))
  }
  visit(file, false)
  return found
}
