import { execFile } from 'node:child_process'
import { readFile } from 'node:fs/promises'
import { promisify } from 'node:util'

/** A process, told apart from a later one that got the same id. */
export interface ProcessIdentity {
  pid: number
  /** When it started, in the system's own words. */
  start: string
}

/** The life of the process with this id; undefined when there is none, or when it has ended and only waits to be reaped. */
export async function identifyProcess(pid: number): Promise<ProcessIdentity | undefined> {
  const start = process.platform === 'linux' ? await startOnLinux(pid) : await startByPs(pid)
  return start === undefined ? undefined : { pid, start }
}

/** Whether this very process still runs. */
export async function isAlive(life: ProcessIdentity): Promise<boolean> {
  return (await identifyProcess(life.pid))?.start === life.start
}

// A slim container has no ps, and every Linux has /proc.
async function startOnLinux(pid: number): Promise<string | undefined> {
  const stat = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => undefined)
  // The second field, the program's name in parentheses, may itself hold spaces and parentheses.
  const fields = stat?.slice(stat.lastIndexOf(')') + 2).split(' ')
  return fields === undefined || fields[0] === 'Z' || fields[0] === 'X' ? undefined : fields[19]
}

async function startByPs(pid: number): Promise<string | undefined> {
  const ps = promisify(execFile)('ps', ['-o', 'stat=', '-o', 'lstart=', '-p', String(pid)])
  const line = await ps.then(({ stdout }) => stdout.trim()).catch(() => '')
  return line === '' || line.startsWith('Z') ? undefined : line.slice(line.indexOf(' ')).trim()
}
