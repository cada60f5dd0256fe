import { execFile } from 'node:child_process'
import { join } from 'node:path'

const ROOT = join(import.meta.dirname, '../..')

export interface Exit {
  code: unknown
  stdout: string
  stderr: string
}

/** Runs the command behind `npm run audit`. */
export function runAuditCommand(env: NodeJS.ProcessEnv, ...args: string[]): Promise<Exit> {
  const { JWT_SECRET: _, JWT_JWKS_URL: __, DATABASE_URL: ___, ...rest } = process.env
  return new Promise((resolve) => {
    execFile(
      process.execPath,
      ['server/scripts/audit.ts', ...args],
      { cwd: ROOT, env: { ...rest, ...env } },
      (error, stdout, stderr) => resolve({ code: error ? error.code : 0, stdout, stderr }),
    )
  })
}
