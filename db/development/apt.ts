import { spawn } from 'node:child_process'

/** Holds mariadbd and the SQL of its system tables, and, unlike mariadb-server, starts no service. */
const PACKAGE = 'mariadb-server-core'

/**
 * Installs the server's program with `aptGet`, fetching package lists only when the known ones do not suffice. Nothing
 * is removed for it: where it conflicts with an installed package, it fails instead.
 *
 * @throws Error with apt-get's last lines.
 */
export async function installServer(aptGet: string[], say: (line: string) => void): Promise<void> {
  // --no-remove: on a machine with MySQL's own packages, apt would otherwise take a running service away.
  const install = ['install', '-y', '--no-install-recommends', '--no-remove', '-o', 'DPkg::Lock::Timeout=120', PACKAGE]
  say(`Installing ${PACKAGE} with apt-get: a program alone, no service is started.`)
  if ((await run([...aptGet, ...install])).code === 0) return
  say('Fetching the package lists first.')
  const update = await run([...aptGet, 'update', '-o', 'DPkg::Lock::Timeout=120'])
  const second = await run([...aptGet, ...install])
  if (second.code === 0) return
  const output = update.code === 0 ? second.output : `${update.output}\n${second.output}`
  throw new Error(`apt-get could not install ${PACKAGE}:\n${output.trim().split('\n').slice(-8).join('\n')}`)
}

function run(command: string[]): Promise<{ code: number | null; output: string }> {
  const [program = '', ...words] = command
  return new Promise((resolve, reject) => {
    const child = spawn(program, words, { stdio: ['ignore', 'pipe', 'pipe'] })
    let output = ''
    const gather = (chunk: Buffer) => {
      output += chunk
    }
    child.stdout.on('data', gather)
    child.stderr.on('data', gather)
    child.once('error', reject)
    child.once('close', (code) => resolve({ code, output }))
  })
}
