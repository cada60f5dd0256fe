import type { Audit, Check, Finding } from './service.ts'

const INDENT = '  '

/** What an audit found, for a person: a line for each check, then each broken row, and a sentence. */
export function report({ sound, asOf, durationMs, checks }: Audit): string {
  const broken = checks.reduce((sum, check) => sum + check.broken, 0)
  const verdict = sound
    ? 'Every promise is kept.'
    : `${count(broken)} ${broken === 1 ? 'row breaks' : 'rows break'} a promise.`
  return [
    table(checks),
    ...checks.filter((check) => check.broken > 0).map(findings),
    `${verdict} Books of ${asOf.toISOString()}, read in ${seconds(durationMs)}.\n`,
  ].join('\n')
}

function table(checks: Check[]): string {
  const lines = [
    ['rows', 'broken', 'promise'],
    ...checks.map(({ rows, broken, promise }) => [count(rows), count(broken), promise]),
  ] as [string, string, string][]
  const width = (column: 0 | 1) => Math.max(...lines.map((line) => line[column].length))
  const [rows, broken] = [width(0), width(1)]
  return lines.map((line) => `${line[0].padStart(rows)}  ${line[1].padStart(broken)}  ${line[2]}\n`).join('')
}

function findings({ promise, broken, findings }: Check): string {
  const more = broken - findings.length
  return [
    promise,
    ...findings.map((finding) => `${INDENT}${row(finding)}`),
    ...(more > 0 ? [`${INDENT}and ${count(more)} more`] : []),
    '',
  ].join('\n')
}

function row({ what, ids, expected, found }: Finding): string {
  const key = Object.entries(ids).map(([column, value]) => `${column} ${value}`)
  return `${[what, ...key].join(' ')}: expected ${expected}; found ${found}`
}

export function count(rows: number): string {
  return rows.toLocaleString('en')
}

function seconds(durationMs: number): string {
  return durationMs < 1_000 ? `${durationMs} ms` : `${(durationMs / 1_000).toFixed(1)} s`
}
