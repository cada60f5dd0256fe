import { expect } from 'vitest'

/** The rows of a Markdown table, as cells. The table is found by its heading row. */
export function tableRows(page: string, heading: string): string[][] {
  const lines = page.split('\n')
  const start = lines.indexOf(heading)
  expect(start, `the table ${heading}`).toBeGreaterThan(-1)
  const end = lines.findIndex((line, index) => index > start && !line.startsWith('|'))
  return lines.slice(start + 2, end).map((line) =>
    line
      .split('|')
      .slice(1, -1)
      .map((cell) => cell.trim()),
  )
}
