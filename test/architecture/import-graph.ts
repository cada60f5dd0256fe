import './typescript-parser.ts'
import type { ICruiseResult } from 'dependency-cruiser'
import { IMPORT_RULES } from './import-rules.ts'
import { ROOT } from './sources.ts'

/** All imports of the repository, type-only and dynamic ones included, and the violations of `IMPORT_RULES`. */
export async function readImportGraph(): Promise<ICruiseResult> {
  // Imported here, because the hook of typescript-parser.ts must be registered before.
  const { cruise } = await import('dependency-cruiser')
  const { output } = await cruise(
    ['db', 'server', 'client-sdk', 'test', 'vitest.config.ts'],
    {
      baseDir: ROOT,
      ruleSet: { forbidden: IMPORT_RULES },
      validate: true,
      tsPreCompilationDeps: true,
      doNotFollow: { path: 'node_modules' },
      exclude: { path: '^(?!.*node_modules/).*\\bdist/' },
    },
    {
      exportsFields: ['exports'],
      conditionNames: ['import', 'types', 'default'],
      extensions: ['.ts', '.tsx', '.mjs', '.js', '.json'],
    },
  )
  if (typeof output === 'string') throw new Error('dependency-cruiser returned a formatted report instead of a result.')
  return output
}
