import { readFile, writeFile } from 'node:fs/promises'
import { apiPage } from './api-page.ts'
import { decisiveRefusals } from './decisive-refusals.ts'
import { eventPayloadsModule, eventSchemasModule } from './event-modules.ts'

/* `npm run docs` writes the files that derive from the server's code. With `--check` it only reports the stale ones. */

const ROOT = new URL('../../', import.meta.url)
const GENERATED: Record<string, () => string> = {
  'docs/api.md': apiPage,
  'client-sdk/src/decisive-refusals.ts': decisiveRefusals,
  'client-sdk/src/event-payloads.ts': eventPayloadsModule,
  'client-sdk/src/event-schemas.ts': eventSchemasModule,
}

const isCheck = process.argv.includes('--check')
for (const [name, write] of Object.entries(GENERATED)) {
  const file = new URL(name, ROOT)
  const current = await readFile(file, 'utf8').catch(() => '')
  const text = write()
  if (current === text) {
    process.stdout.write(`${name} is up to date.\n`)
  } else if (isCheck) {
    process.stderr.write(`${name} is stale. Run npm run docs.\n`)
    process.exitCode = 1
  } else {
    await writeFile(file, text)
    process.stdout.write(`Wrote ${name}.\n`)
  }
}
