import { mkdir, readFile, rm, writeFile } from 'node:fs/promises'
import { availableParallelism } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { findDatabase } from '@pointwise/db/development'
import { createConnection, type RowDataPacket } from 'mysql2/promise'
import { replaceSection } from '../../server/scripts/markdown.ts'
import { bystander } from './parts/bystander.ts'
import { curve } from './parts/curve.ts'
import { events } from './parts/events.ts'
import { http } from './parts/http.ts'
import { listing } from './parts/listing.ts'
import { overload } from './parts/overload.ts'
import { payments } from './parts/payments.ts'
import { rankings } from './parts/rankings.ts'
import { scaling } from './parts/scaling.ts'
import { size } from './parts/size.ts'
import { start } from './parts/start.ts'
import { type Figure, median, ratioOf, table, tableOfPage } from './report.ts'
import type { Bench } from './rounds.ts'

const PARTS = { payments, events, curve, bystander, overload, http, listing, rankings, scaling, size, start }
const ROOT = join(import.meta.dirname, '../..')

const { values: options, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    json: { type: 'string' },
    chart: { type: 'string' },
    // Writes the table and the chart of docs/benchmarks.md.
    docs: { type: 'boolean', default: false },
    rounds: { type: 'string', default: '3' },
  },
})
const PAGE = join(ROOT, 'docs/benchmarks.md')
const withFigures = async (text: string) =>
  replaceSection(await readFile(PAGE, 'utf8'), 'figures', { by: 'npm run bench -- --docs', text })
// Fails before anything is measured if the page has no section for the figures.
if (options.docs) await withFigures('')
const chartFile = options.docs ? join(ROOT, 'docs/images/hot-product.svg') : options.chart
const unknown = positionals.filter((name) => !(name in PARTS))
if (unknown.length > 0) {
  process.stderr.write(
    `The benchmark has no part named ${unknown.join(', ')}. The parts are: ${Object.keys(PARTS).join(', ')}.\n`,
  )
  process.exit(2)
}
const print = (line: string) => process.stderr.write(`${line}\n`)

const directory = join(ROOT, '.pointwise/bench')
const { DATABASE_URL: url, POINTWISE_DATABASE: provider } = process.env
const database = await findDatabase({
  url,
  provider: provider === 'docker' || provider === 'local' ? provider : undefined,
  directory,
  // The server writes durably only data that outlives it.
  keep: true,
  database: 'mysql',
  print,
})
try {
  const bench: Bench = {
    server: database.url,
    description: await describe(database.url),
    rounds: Number(options.rounds),
    print,
    writeChart: async (svg) => {
      if (chartFile) await writeFile(chartFile, svg)
    },
  }
  print(bench.description)
  const figures: Figure[] = []
  for (const [name, part] of Object.entries(PARTS)) {
    if (positionals.length > 0 && !positionals.includes(name)) continue
    figures.push(...(await part(bench)))
  }
  const how = `Medians of ${bench.rounds} rounds, ratios within each round.`
  process.stdout.write(`\n${bench.description}\n${how}\n\n${table(figures)}\n`)
  if (options.docs) {
    await writeFile(PAGE, await withFigures(`${bench.description}. ${how}\n\n${tableOfPage(figures)}`))
  }
  if (options.json) {
    const results = figures.map((figure) => ({ ...figure, median: median(figure.values), ratio: ratioOf(figure) }))
    await mkdir(join(options.json, '..'), { recursive: true })
    await writeFile(options.json, `${JSON.stringify({ database: bench.description, figures: results }, null, 2)}\n`)
  }
} finally {
  await database.stop()
  if (!url) await rm(directory, { recursive: true, force: true })
}

async function describe(url: string): Promise<string> {
  const connection = await createConnection(url)
  const [[facts]] = await connection.query<RowDataPacket[]>(
    'select @@version as version, @@innodb_flush_log_at_trx_commit as flush, @@sync_binlog as binlog, @@log_bin as logs',
  )
  await connection.end()
  const binlog = facts?.logs ? `binary log synchronised every ${facts.binlog}` : 'no binary log'
  const name = /mariadb/i.test(facts?.version) ? 'MariaDB' : 'MySQL'
  return `${name} ${facts?.version}, ${availableParallelism()} processors, innodb_flush_log_at_trx_commit=${facts?.flush}, ${binlog}`
}
