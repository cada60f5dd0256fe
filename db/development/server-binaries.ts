import { execFile } from 'node:child_process'
import { realpath } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'

/** The two kinds keep their data in forms the other cannot read. */
export type ServerKind = 'mysql' | 'mariadb'

export interface ServerBinary {
  kind: ServerKind
  file: string
  version: string
}

const OLDEST: Record<ServerKind, [major: number, minor: number]> = { mysql: [8, 4], mariadb: [10, 11] }

export interface ServerBinaries {
  usable: ServerBinary[]
  /** One clause for each program that was found and cannot be used. */
  unusable: string[]
}

/** The database servers installed in these folders, each once, in the folders' order. */
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
  const programs: ServerBinaries = { usable: [], unusable: [] }
  for (const file of files) {
    const program = await identify(file)
    if (typeof program === 'string') programs.unusable.push(program)
    else programs.usable.push(program)
  }
  return programs
}

async function identify(file: string): Promise<ServerBinary | string> {
  let output: string
  try {
    output = (await promisify(execFile)(file, ['--no-defaults', '--version'])).stdout
  } catch (error) {
    return `${file} does not run: ${(error as Error).message.trim()}`
  }
  const [, version, major, minor] = /Ver ((\d+)\.(\d+)[.\d]*)/.exec(output) ?? []
  if (version === undefined) return `${file} does not tell its version`
  const kind = output.includes('MariaDB') ? 'mariadb' : 'mysql'
  const [oldestMajor, oldestMinor] = OLDEST[kind]
  const isOld = Number(major) < oldestMajor || (Number(major) === oldestMajor && Number(minor) < oldestMinor)
  if (isOld) return `${file} is version ${version}, ${oldestMajor}.${oldestMinor} or later is expected`
  return { kind, file, version }
}
