import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { DirectoryLockedError, lockDirectory } from '../../db/development/directory-lock.ts'

let folder: string
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'pointwise-claim-'))
})
afterEach(() => rm(folder, { recursive: true, force: true }))

const take = () => lockDirectory(folder, 'The data', () => undefined)

test('of twenty claims at once, one at most is granted', async () => {
  const outcomes = await Promise.allSettled(Array.from({ length: 20 }, take))
  const refused = outcomes.filter((outcome) => outcome.status === 'rejected').map(({ reason }) => reason)
  expect(refused.length).toBeGreaterThanOrEqual(19)
  for (const reason of refused) expect(reason).toBeInstanceOf(DirectoryLockedError)
})

test('a claim is refused while another holds, and granted after its release', async () => {
  const first = await take()
  await expect(take()).rejects.toThrow(`The data is in use by process ${process.pid} (this one)`)
  await first.release()
  await (await take()).release()
  expect(await readdir(folder)).toEqual([])
})

test('the claim of a dead process does not hold when another process got its id', async () => {
  const record = JSON.stringify({ owner: { pid: process.pid, start: 'long ago' } })
  await writeFile(join(folder, 'dead.json'), record)
  await (await take()).release()
  expect(await readdir(folder)).toEqual([])
})

test('a record that was cut short by a power failure does not hold', async () => {
  await writeFile(join(folder, 'torn.json'), '{"owner":')
  await expect(take()).resolves.toBeDefined()
})
