import { readFile, writeFile } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import { createContract } from '../src/openapi/contract.ts'

/*
 * `npm run contract` stores the contract of the SDK's current version, with which the tests compare later changes. The stored
 * contract of a version is not replaced: a change of the contract requires a new version.
 */

const SDK = new URL('../../client-sdk/', import.meta.url)
const file = fileURLToPath(new URL('contract.snapshot.json', SDK))

const { version } = JSON.parse(await readFile(new URL('package.json', SDK), 'utf8'))
const stored = await readFile(file, 'utf8').catch(() => '{}')
const current = `${JSON.stringify({ version, ...createContract() }, null, 2)}\n`
if (stored === current) {
  process.stdout.write(`The stored contract of ${version} is up to date.\n`)
} else if (JSON.parse(stored).version === version) {
  process.stderr.write(
    `The contract has changed since ${version} was released. Run npx changeset to describe the change, and npm run bump to create a version.\n`,
  )
  process.exit(1)
} else {
  await writeFile(file, current)
  process.stdout.write(`Stored the contract of ${version}.\n`)
}
