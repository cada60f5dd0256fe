import { execFile } from 'node:child_process'
import { realpath } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'

/** The data directories of the two kinds are incompatible. */
export type ServerKind = 'mysql' | 'mariadb'

export interface ServerBinary {
  kind: ServerKind
  file: string
  version: string
}

const MIN_VERSIONS: Record<ServerKind, [major: number, minor: number]> = { mysql: [8, 4], mariadb: [10, 11] }

export interface ServerBinaries {
  usable: ServerBinary[]
  /** One clause for each program that was found but cannot be used. */
  unusable: string[]
}

/**
 * Finds the database servers in these folders, in the order of the folders. A program that several folders link to is
 * listed once.
 */
export async function findServerBinaries(folders: string[]): Promise<ServerBinaries> {
  const files = new Set<string>()
  for (const folder of folders) {
    for (const name of ['mysqld', 'mariadbd']) {
      await realpath(join(folder, name)).then(
        (file) => files.add(file),
        () => undefined,
      )
    }
  }
  const binaries: ServerBinaries = { usable: [], unusable: [] }
  for (const file of files) {
    const binary = await identify(file)
    if (typeof binary === 'string') binaries.unusable.push(binary)
    else binaries.usable.push(binary)
  }
  return binaries
}

/** Returns the server of this file, or the reason why it cannot be used. */
async function identify(file: string): Promise<ServerBinary | string> {
  let output: string
  try {
    output = (await promisify(execFile)(file, ['--no-defaults', '--version'])).stdout
  } catch (error) {
    return `${file} cannot be executed: ${(error as Error).message.trim()}`
  }
  const [, version, major, minor] = /Ver ((\d+)\.(\d+)[.\d]*)/.exec(output) ?? []
  if (version === undefined) return `${file} --version reports no version`
  const kind = output.includes('MariaDB') ? 'mariadb' : 'mysql'
  const [minMajor, minMinor] = MIN_VERSIONS[kind]
  const isTooOld = Number(major) < minMajor || (Number(major) === minMajor && Number(minor) < minMinor)
  if (isTooOld) return `${file} is version ${version}; ${minMajor}.${minMinor} or later is required`
  return { kind, file, version }
}
