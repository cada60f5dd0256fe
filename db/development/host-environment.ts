import { execFile } from 'node:child_process'
import { existsSync } from 'node:fs'
import { delimiter } from 'node:path'
import { promisify } from 'node:util'

/** What the search for a database server looks at outside its own folder. */
export interface HostEnvironment {
  /** Where a Docker engine would listen, as DOCKER_HOST spells it. */
  dockerHost: string
  /** Folders that may hold mysqld or mariadbd, in the order of looking. */
  programFolders: string[]
  /** The start of an apt-get command that may install packages, or a clause that says why there is none. */
  aptGet: () => Promise<string[] | string>
}

const USUAL_FOLDERS = ['/usr/sbin', '/usr/local/sbin', '/usr/local/bin', '/opt/homebrew/bin', '/usr/local/mysql/bin']

/** The machine we run on. Looks at PATH and DOCKER_HOST, and starts nothing. */
export function thisHost(): HostEnvironment {
  const path = (process.env.PATH ?? '').split(delimiter).filter((folder) => folder.startsWith('/'))
  return {
    dockerHost: process.env.DOCKER_HOST || 'unix:///var/run/docker.sock',
    programFolders: [...new Set([...path, ...USUAL_FOLDERS])],
    aptGet: aptGetHere,
  }
}

async function aptGetHere(): Promise<string[] | string> {
  if (!existsSync('/etc/debian_version') || !existsSync('/usr/bin/apt-get')) return 'this is not Debian or Ubuntu'
  const aptGet = ['env', 'DEBIAN_FRONTEND=noninteractive', '/usr/bin/apt-get']
  if (process.getuid?.() === 0) return aptGet
  const sudo = ['sudo', '-n', ...aptGet]
  const [program = '', ...words] = sudo
  return promisify(execFile)(program, [...words, '--version']).then(
    () => sudo,
    () => 'it needs root, or sudo without a password',
  )
}
