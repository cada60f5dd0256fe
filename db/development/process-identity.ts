import { execFile } from 'node:child_process'
import { readFile } from 'node:fs/promises'
import { promisify } from 'node:util'

/** Identifies a process, also after a later process has got the same id. */
export interface ProcessIdentity {
  pid: number
  /** Start time, in the format of the operating system. */
  start: string
}

/**
 * Returns the identity of the running process with this id. Returns undefined when there is none, also for a zombie
 * process.
 */
export async function identifyProcess(pid: number): Promise<ProcessIdentity | undefined> {
  const start = process.platform === 'linux' ? await startTimeFromProc(pid) : await startTimeFromPs(pid)
  return start === undefined ? undefined : { pid, start }
}

/** Whether this process is running. */
export async function isAlive(identity: ProcessIdentity): Promise<boolean> {
  return (await identifyProcess(identity.pid))?.start === identity.start
}

// Slim containers have no ps, but every Linux has /proc.
async function startTimeFromProc(pid: number): Promise<string | undefined> {
  const stat = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => undefined)
  // The second field, the program's name in parentheses, may itself contain spaces and parentheses.
  const fields = stat?.slice(stat.lastIndexOf(')') + 2).split(' ')
  return fields === undefined || fields[0] === 'Z' || fields[0] === 'X' ? undefined : fields[19]
}

async function startTimeFromPs(pid: number): Promise<string | undefined> {
  const ps = promisify(execFile)('ps', ['-o', 'stat=', '-o', 'lstart=', '-p', String(pid)])
  const line = await ps.then(({ stdout }) => stdout.trim()).catch(() => '')
  return line === '' || line.startsWith('Z') ? undefined : line.slice(line.indexOf(' ')).trim()
}
