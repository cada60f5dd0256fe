import { readFile, writeFile } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import { createContract } from '../src/openapi/contract.ts'

/*
 * `npm run contract` keeps the contract of the SDK's version, against which the tests hold every later change. That of a
 * version, once kept, stays as it is: a change of it comes with another version.
 */

const SDK = new URL('../../client-sdk/', import.meta.url)
const file = fileURLToPath(new URL('contract.snapshot.json', SDK))

const { version } = JSON.parse(await readFile(new URL('package.json', SDK), 'utf8'))
const kept = await readFile(file, 'utf8').catch(() => '{}')
const current = `${JSON.stringify({ version, ...createContract() }, null, 2)}\n`
if (kept === current) {
  process.stdout.write(`The contract of ${version} is kept.\n`)
} else if (JSON.parse(kept).version === version) {
  process.stderr.write(
    `The contract of ${version} is kept already: npx changeset, and then npm run bump, make a version of the change.\n`,
  )
  process.exit(1)
} else {
  await writeFile(file, current)
  process.stdout.write(`Kept the contract of ${version}.\n`)
}
