import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { beforeEach, expect, onTestFinished, test } from 'vitest'
import { loadOrCreateSecret } from '../../server/src/embedded/jwt-secret.ts'
import { writeAtomically } from '../../server/src/embedded/write-atomically.ts'

let directory: string
let file: string
let printed: string[]
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'pointwise-files-'))
  file = join(directory, 'jwt-secret')
  printed = []
  onTestFinished(() => rmSync(directory, { recursive: true, force: true }))
})

const load = async () => new TextDecoder().decode(await loadOrCreateSecret(directory, (line) => printed.push(line)))

test('the secret is created once, and only the current user can read it', async () => {
  const secret = await load()
  expect(secret).toMatch(/^[0-9a-f]{64}$/)
  expect(await load()).toBe(secret)
  expect(statSync(file).mode & 0o777).toBe(0o600)
  expect(printed).toEqual([])
})

const INCOMPLETE: [what: string, content: string][] = [
  ['empty', ''],
  ['truncated', 'ab'.repeat(31)],
  ['filled with zero bytes', '\0'.repeat(64)],
]
for (const [what, content] of INCOMPLETE) {
  test(`a secret file that is ${what} is replaced, and this is printed`, async () => {
    writeFileSync(file, content)
    const secret = await load()
    expect(secret).toMatch(/^[0-9a-f]{64}$/)
    expect(printed).toEqual([
      expect.stringMatching(/^The token secret in .*jwt-secret is incomplete and is replaced\./),
    ])
    expect(await load()).toBe(secret)
    expect(printed).toHaveLength(1)
  })
}

test('a start that was killed while it wrote the secret does not impair the next one', async () => {
  writeFileSync(`${file}.new`, 'ab')
  expect(await load()).toMatch(/^[0-9a-f]{64}$/)
  expect(existsSync(`${file}.new`)).toBe(false)
  expect(statSync(file).mode & 0o777).toBe(0o600)
})

test('a file that cannot be written keeps its content, and the error names it', async () => {
  await writeAtomically(file, 'before')
  mkdirSync(`${file}.new`)
  await expect(writeAtomically(file, 'after')).rejects.toThrow(`The file ${file} could not be written. Free disk space`)
  expect(readFileSync(file, 'utf8')).toBe('before')
})
