import { readFile, writeFile } from 'node:fs/promises'
import { replaceSection, table } from '../../server/scripts/markdown.ts'

const PAGE = new URL('../../docs/scaling.md', import.meta.url)
const SECTION = 'failovers'
const BY = 'WRITE_DOCS=1 npm run test:cluster'
const HEADING = [
  'engine',
  'event',
  'without a primary',
  'without an order',
  'refused as `service_busy`',
  'outcome unknown',
]

export interface FailoverResult {
  engine: string
  event: string
  /** How long the engine had no primary, as an administrator sees it. */
  engineMs: number
  /** The longest time between two orders. */
  longestSilenceMs: number
  busy: number
  unknown: number
}

const seconds = (milliseconds: number) => `${(milliseconds / 1_000).toFixed(1)} s`

/** With the variable WRITE_DOCS, writes the result into the table of docs/scaling.md, in place of an earlier one of the same event. */
export async function writeResult({
  engine,
  event,
  engineMs,
  longestSilenceMs,
  busy,
  unknown,
}: FailoverResult): Promise<void> {
  if (!process.env.WRITE_DOCS) return
  const page = await readFile(PAGE, 'utf8')
  const section = page.slice(page.indexOf(`<!-- ${SECTION}:`), page.indexOf(`<!-- end of ${SECTION} -->`))
  const [, , ...rows] = section
    .split('\n')
    .filter((line) => line.startsWith('|'))
    .map((line) =>
      line
        .split('|')
        .slice(1, -1)
        .map((cell) => cell.trim()),
    )
  const row = [engine, event, seconds(engineMs), seconds(longestSilenceMs), String(busy), String(unknown)]
  const others = rows.filter(([ofEngine, ofEvent]) => ofEngine !== engine || ofEvent !== event)
  const text = table(
    HEADING,
    [...others, row].toSorted(([a = ''], [b = '']) => a.localeCompare(b)),
  )
  await writeFile(PAGE, replaceSection(page, SECTION, { by: BY, text }))
}
