import type { AuditRun, TableScan } from '../audit-run.ts'
import { format } from '../findings.ts'
import { CHUNK_KEYS, type Chunk, countRows, selectNextChunk, type Table } from '../queries/chunk-queries.ts'
import { RULES, selectRuleViolations } from '../queries/rule-queries.ts'

/** Tables of which a row stands for up to 50 order lines. Their chunks have a tenth of the rows. */
const WITH_LINES = new Set<Table>(['orders', 'events'])

/** Splits a table into chunks, counts its rows and points, and checks each row against the rules of the table. */
export async function scanTable(run: AuditRun, table: Table): Promise<TableScan> {
  const scan: TableScan = { chunks: [], rows: 0, points: 0 }
  const { db, chunkSize } = run
  const size = WITH_LINES.has(table) ? Math.max(1, Math.floor(chunkSize / 10)) : chunkSize
  const hasUniqueKey = table !== 'product_sales'
  for (let after = Number.MIN_SAFE_INTEGER; ; ) {
    const { through, rows, points } = await selectNextChunk(db, table, { after, size }).executeTakeFirstOrThrow()
    if (through === null) break
    const chunk = { after, through }
    scan.chunks.push(chunk)
    scan.rows += hasUniqueKey ? rows : (await countRows(db, table, chunk).executeTakeFirstOrThrow()).rows
    scan.points += Number(points)
    if (RULES[table].length > 0) await checkRules(run, table, chunk)
    run.progress(table, through)
    if (rows < size) break
    after = through
  }
  for (const check of new Set(RULES[table].map((rule) => rule.check))) run.findings.addRows(check, scan.rows)
  return scan
}

async function checkRules({ db, findings }: AuditRun, table: Table, chunk: Chunk): Promise<void> {
  for (const row of await selectRuleViolations(db, table, chunk).execute()) {
    const ids = { [CHUNK_KEYS[table]]: row.id, ...(row.hour && { hour: format(row.hour) }) }
    for (const [index, { check, column, expected }] of RULES[table].entries()) {
      if (row[`satisfied${index}`]) continue
      const isMissingRow = check === 'companions'
      findings.addFinding(check, {
        what: table,
        ids,
        expected: isMissingRow ? expected : `${column} ${expected}`,
        found: isMissingRow ? 'none' : `${column} ${format(row[`value${index}`])}`,
      })
    }
  }
}
