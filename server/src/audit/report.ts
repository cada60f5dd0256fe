import type { AuditResult, Check, Finding } from './audit-schemas.ts'

const INDENT = '  '

/** The server that an audit has read. */
export type AuditSource = 'primary' | 'replica'

/** Formats the result of an audit, or the reason why it did not run, as a JSON document of one line. */
export function formatJson(result: (AuditResult & { readFrom?: AuditSource }) | { error: string }): string {
  return `${JSON.stringify(result)}\n`
}

/** Formats the result of an audit as text: a line for each check, then each stored finding, then a summary with the server, if it is given. */
export function formatReport({ sound, asOf, durationMs, checks }: AuditResult, source?: AuditSource): string {
  const broken = checks.reduce((sum, check) => sum + check.broken, 0)
  const verdict = sound ? 'All checks passed.' : `${formatCount(broken)} broken ${broken === 1 ? 'row' : 'rows'} found.`
  return [
    formatTable(checks),
    ...checks.filter((check) => check.broken > 0).map(formatFindings),
    `${verdict} Snapshot of ${source ? `the ${source} at ` : ''}${asOf.toISOString()}, read in ${formatDuration(durationMs)}.\n`,
  ].join('\n')
}

function formatTable(checks: Check[]): string {
  const lines = [
    ['rows', 'broken', 'check'],
    ...checks.map(({ rows, broken, promise }) => [formatCount(rows), formatCount(broken), promise]),
  ] as [string, string, string][]
  const width = (column: 0 | 1) => Math.max(...lines.map((line) => line[column].length))
  const [rows, broken] = [width(0), width(1)]
  return lines.map((line) => `${line[0].padStart(rows)}  ${line[1].padStart(broken)}  ${line[2]}\n`).join('')
}

function formatFindings({ promise, broken, findings }: Check): string {
  const more = broken - findings.length
  return [
    promise,
    ...findings.map((finding) => `${INDENT}${formatFinding(finding)}`),
    ...(more > 0 ? [`${INDENT}and ${formatCount(more)} more`] : []),
    '',
  ].join('\n')
}

function formatFinding({ what, ids, expected, found }: Finding): string {
  const key = Object.entries(ids).map(([column, value]) => `${column} ${value}`)
  return `${[what, ...key].join(' ')}: expected ${expected}; found ${found}`
}

export function formatCount(rows: number): string {
  return rows.toLocaleString('en')
}

function formatDuration(durationMs: number): string {
  return durationMs < 1_000 ? `${durationMs} ms` : `${(durationMs / 1_000).toFixed(1)} s`
}
