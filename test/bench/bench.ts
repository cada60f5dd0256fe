import { mkdir, readFile, rm, writeFile } from 'node:fs/promises'
import { availableParallelism } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { findDatabase } from '@pointwise/db/development'
import { createConnection, type RowDataPacket } from 'mysql2/promise'
import { replaceSection } from '../../server/scripts/markdown.ts'
import { curve } from './parts/curve.ts'
import { http } from './parts/http.ts'
import { listing } from './parts/listing.ts'
import { overload } from './parts/overload.ts'
import { payments } from './parts/payments.ts'
import { rankings } from './parts/rankings.ts'
import { size } from './parts/size.ts'
import { start } from './parts/start.ts'
import { type Figure, median, ratioOf, table, tableOfPage } from './report.ts'

/** What a part of the benchmark is given. */
export interface Bench {
  /** The database server, as mysql://…; a part makes databases of its own on it. */
  server: string
  /** What it is, and how durable. */
  description: string
  /** How often each measurement and its yardstick are taken, in turn, after one warm-up. */
  rounds: number
  say: (line: string) => void
  writeChart: (svg: string) => Promise<void>
}

const PARTS = { payments, curve, overload, http, listing, rankings, size, start }
const ROOT = join(import.meta.dirname, '../..')

const { values: options, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    json: { type: 'string' },
    chart: { type: 'string' },
    // Keeps the figures, and the chart, in the README.
    readme: { type: 'boolean', default: false },
    rounds: { type: 'string', default: '3' },
  },
})
const README = join(ROOT, 'README.md')
const withFigures = async (text: string) =>
  replaceSection(await readFile(README, 'utf8'), 'figures', { by: 'npm run bench -- --readme', text })
// That there is a place for them is better known before they are measured.
if (options.readme) await withFigures('')
const chartFile = options.readme ? join(ROOT, 'docs/images/hot-product.svg') : options.chart
const unknown = positionals.filter((name) => !(name in PARTS))
if (unknown.length > 0) {
  process.stderr.write(`There is no part named ${unknown.join(', ')}: expected ${Object.keys(PARTS).join(', ')}.\n`)
  process.exit(2)
}
const say = (line: string) => process.stderr.write(`${line}\n`)

const directory = join(ROOT, '.pointwise/bench')
const { DATABASE_URL: url, POINTWISE_DATABASE: way } = process.env
const database = await findDatabase({
  url,
  provider: way === 'docker' || way === 'local' ? way : undefined,
  directory,
  // Kept while it runs, because only kept data is written durably.
  keep: true,
  database: 'mysql',
  print,
})
try {
  const bench: Bench = {
    server: database.url,
    description: await describe(database.url),
    rounds: Number(options.rounds),
    say,
    writeChart: async (svg) => {
      if (chartFile) await writeFile(chartFile, svg)
    },
  }
  say(bench.description)
  const figures: Figure[] = []
  for (const [name, part] of Object.entries(PARTS)) {
    if (positionals.length > 0 && !positionals.includes(name)) continue
    figures.push(...(await part(bench)))
  }
  const how = `Medians of ${bench.rounds} rounds, ratios within each round.`
  process.stdout.write(`\n${bench.description}\n${how}\n\n${table(figures)}\n`)
  if (options.readme) {
    await writeFile(README, await withFigures(`${bench.description}. ${how}\n\n${tableOfPage(figures)}`))
  }
  if (options.json) {
    const kept = figures.map((figure) => ({ ...figure, median: median(figure.values), ratio: ratioOf(figure) }))
    await mkdir(join(options.json, '..'), { recursive: true })
    await writeFile(options.json, `${JSON.stringify({ database: bench.description, figures: kept }, null, 2)}\n`)
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
