import type { AuditRun } from '../audit-run.ts'
import { format } from '../findings.ts'
import { RULES, selectRuleBreakers } from '../queries/row-rules.ts'
import { type Chunk, countRows, KEYS, selectChunk, type Table } from '../queries/table-scan.ts'

const FIRST = Number.MIN_SAFE_INTEGER

/** A table as the walk over it found it. */
export interface TableScan {
  chunks: Chunk[]
  rows: number
  /** What its rows hold of points, all together. */
  points: number
}

/** Cuts a table into chunks, and holds each row against the rules of its table. */
export async function scanTable(survey: AuditRun, table: Table): Promise<TableScan> {
  const extent: TableScan = { chunks: [], rows: 0, points: 0 }
  const { db, chunkSize: size } = survey
  for (let after = FIRST; ; ) {
    const { upTo, rows, points } = await selectChunk(db, table, { after, size }).executeTakeFirstOrThrow()
    if (upTo === null) break
    const chunk = { after, upTo }
    const isUnique = table !== 'product_sales'
    const count = isUnique ? rows : (await countRows(db, table, chunk).executeTakeFirstOrThrow()).rows
    extent.chunks.push(chunk)
    extent.rows += count
    extent.points += Number(points)
    if (RULES[table].length > 0) await keepRules(survey, table, chunk)
    survey.progress(table, extent.rows)
    if (rows < size) break
    after = upTo
  }
  for (const check of new Set(RULES[table].map((rule) => rule.check))) survey.findings.addRows(check, extent.rows)
  return extent
}

async function keepRules({ db, findings }: AuditRun, table: Table, chunk: Chunk): Promise<void> {
  for (const row of await selectRuleBreakers(db, table, chunk).execute()) {
    const ids = { [KEYS[table]]: row.id, ...(row.hour && { hour: format(row.hour) }) }
    for (const [index, { check, column, expected }] of RULES[table].entries()) {
      if (row[`holds${index}`]) continue
      const isCompanion = check === 'companions'
      findings.addFinding(check, {
        what: table,
        ids,
        expected: isCompanion ? expected : `${column} ${expected}`,
        found: isCompanion ? 'none' : `${column} ${format(row[`value${index}`])}`,
      })
    }
  }
}
