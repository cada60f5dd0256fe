import { readFile, writeFile } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import { withTables } from './api-tables.ts'

/* `npm run docs` writes the tables of the README; with `--check` it only says whether they are as they should be. */

const README = fileURLToPath(new URL('../../README.md', import.meta.url))

const page = await readFile(README, 'utf8')
const written = withTables(page)
if (page === written) {
  process.stdout.write('The tables of the README are as they should be.\n')
} else if (process.argv.includes('--check')) {
  process.stderr.write('The tables of the README tell of another server: npm run docs writes them anew.\n')
  process.exit(1)
} else {
  await writeFile(README, written)
  process.stdout.write('Wrote the tables of the README.\n')
}
