import { execFile } from 'node:child_process'
import { existsSync } from 'node:fs'
import { delimiter } from 'node:path'
import { promisify } from 'node:util'

/** The properties of a host that decide which database servers are available. */
export interface HostEnvironment {
  /** Address of the Docker engine, in the format of DOCKER_HOST. */
  dockerHost: string
  /** Folders that may contain mysqld or mariadbd, in search order. */
  programFolders: string[]
  /** Returns an apt-get command that may install packages, without its arguments, or the reason why there is none. */
  aptGet: () => Promise<string[] | string>
}

const DEFAULT_FOLDERS = ['/usr/sbin', '/usr/local/sbin', '/usr/local/bin', '/opt/homebrew/bin', '/usr/local/mysql/bin']

/** Describes the host of this process. It reads PATH and DOCKER_HOST, and starts nothing. */
export function thisHost(): HostEnvironment {
  const path = (process.env.PATH ?? '').split(delimiter).filter((folder) => folder.startsWith('/'))
  return {
    dockerHost: process.env.DOCKER_HOST || 'unix:///var/run/docker.sock',
    programFolders: [...new Set([...path, ...DEFAULT_FOLDERS])],
    aptGet: findAptGet,
  }
}

async function findAptGet(): Promise<string[] | string> {
  if (!existsSync('/etc/debian_version') || !existsSync('/usr/bin/apt-get')) return 'this host is not Debian or Ubuntu'
  const aptGet = ['env', 'DEBIAN_FRONTEND=noninteractive', '/usr/bin/apt-get']
  if (process.getuid?.() === 0) return aptGet
  const sudo = ['sudo', '-n', ...aptGet]
  const [program = '', ...args] = sudo
  return promisify(execFile)(program, [...args, '--version']).then(
    () => sudo,
    () => 'root, or sudo without a password, is required',
  )
}
