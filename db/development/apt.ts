import { spawn } from 'node:child_process'

/** Contains mariadbd and the SQL of its system tables. Unlike mariadb-server, it starts no service. */
const PACKAGE = 'mariadb-server-core'

/**
 * Installs the database server with the command `aptGet`. When that fails, it updates the package lists and tries
 * again. It never removes an installed package: the installation fails if there is a conflict.
 *
 * @throws Error with the last lines of apt-get's output.
 */
export async function installServer(aptGet: string[], print: (line: string) => void): Promise<void> {
  // --no-remove: on a host with the packages of MySQL, apt would otherwise remove a running service.
  const install = ['install', '-y', '--no-install-recommends', '--no-remove', '-o', 'DPkg::Lock::Timeout=120', PACKAGE]
  print(`Installing ${PACKAGE} with apt-get. The package starts no service.`)
  if ((await run([...aptGet, ...install])).code === 0) return
  print('The installation failed. Updating the package lists and trying again.')
  const update = await run([...aptGet, 'update', '-o', 'DPkg::Lock::Timeout=120'])
  const second = await run([...aptGet, ...install])
  if (second.code === 0) return
  const output = update.code === 0 ? second.output : `${update.output}\n${second.output}`
  const lastLines = output.trim().split('\n').slice(-8).join('\n')
  throw new Error(`${PACKAGE} could not be installed. Last lines of the output:\n${lastLines}`)
}

function run(command: string[]): Promise<{ code: number | null; output: string }> {
  const [program = '', ...args] = command
  return new Promise((resolve, reject) => {
    const child = spawn(program, args, { stdio: ['ignore', 'pipe', 'pipe'] })
    let output = ''
    const append = (chunk: Buffer) => {
      output += chunk
    }
    child.stdout.on('data', append)
    child.stderr.on('data', append)
    child.once('error', reject)
    child.once('close', (code) => resolve({ code, output }))
  })
}
