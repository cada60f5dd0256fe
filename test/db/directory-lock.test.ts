import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { DirectoryLockedError, lockDirectory } from '../../db/development/directory-lock.ts'

let folder: string
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'pointwise-lock-'))
})
afterEach(() => rm(folder, { recursive: true, force: true }))

const lock = () => lockDirectory(folder, 'The data', () => undefined)

test('at most one of twenty concurrent calls acquires the lock', async () => {
  const outcomes = await Promise.allSettled(Array.from({ length: 20 }, lock))
  const rejections = outcomes.filter((outcome) => outcome.status === 'rejected').map(({ reason }) => reason)
  expect(rejections.length).toBeGreaterThanOrEqual(19)
  for (const reason of rejections) expect(reason).toBeInstanceOf(DirectoryLockedError)
})

test('a lock that is held is rejected, and can be acquired after its release', async () => {
  const first = await lock()
  await expect(lock()).rejects.toThrow(`The data is in use by process ${process.pid} (this process)`)
  await first.release()
  await (await lock()).release()
  expect(await readdir(folder)).toEqual([])
})

test('the record of a dead process does not hold the lock, also when another process has got its id', async () => {
  const record = JSON.stringify({ owner: { pid: process.pid, start: 'earlier' } })
  await writeFile(join(folder, 'dead.json'), record)
  await (await lock()).release()
  expect(await readdir(folder)).toEqual([])
})

test('a record that a power failure has truncated does not hold the lock', async () => {
  await writeFile(join(folder, 'truncated.json'), '{"owner":')
  await expect(lock()).resolves.toBeDefined()
})
