import { open, rename, rm } from 'node:fs/promises'

/**
 * Writes a file that only the current user can read. When the process is killed, the host goes down or the disk is full,
 * the file has its previous content or the new one, and never a part of it. Only one process may write to it at a time.
 *
 * @throws Error that names the file, with the failure as its cause.
 */
export async function writeAtomically(file: string, text: string): Promise<void> {
  const draft = `${file}.new`
  try {
    // A process that was killed can have left one with other permissions.
    await rm(draft, { force: true })
    const handle = await open(draft, 'wx', 0o600)
    try {
      await handle.writeFile(text)
      await handle.sync()
    } finally {
      await handle.close()
    }
    await rename(draft, file)
  } catch (cause) {
    throw new Error(`The file ${file} could not be written. Free disk space, or correct its permissions.`, { cause })
  }
}
