import * as markdown from '../../server/scripts/markdown.ts'

/** One row of the result: the values of each round, and the baseline to compare them with. */
export interface Figure {
  name: string
  unit: string
  values: number[]
  baseline?: { name: string; values: number[] }
  goal?: { atLeast: number } | { atMost: number }
}

export const median = (values: number[]): number => {
  const sorted = values.toSorted((a, b) => a - b)
  const middle = sorted.length / 2
  return sorted.length === 0 ? 0 : ((sorted[Math.ceil(middle) - 1] ?? 0) + (sorted[Math.floor(middle)] ?? 0)) / 2
}

/** The median over the rounds of the ratio within each round, so a slow moment affects both values of a ratio. */
export function ratioOf({ values, baseline }: Figure): number | undefined {
  if (!baseline) return undefined
  return median(values.map((value, round) => value / (baseline.values[round] ?? Number.NaN)))
}

const HEADING = ['figure', 'median', 'baseline', 'ratio', 'goal']

function rowsOf(figures: Figure[]): string[][] {
  return figures.map((figure) => {
    const ratio = ratioOf(figure)
    const { goal, baseline } = figure
    const goalText = goal && ('atLeast' in goal ? `≥ ${goal.atLeast}` : `≤ ${goal.atMost}`)
    const isMet = ratio !== undefined && goal && ('atLeast' in goal ? ratio >= goal.atLeast : ratio <= goal.atMost)
    return [
      figure.name,
      `${format(median(figure.values))} ${figure.unit}`,
      baseline ? `${format(median(baseline.values))} ${figure.unit} (${baseline.name})` : '',
      ratio === undefined ? '' : format(ratio),
      goalText ? `${goalText}${isMet ? '' : ', missed'}` : '',
    ]
  })
}

/** The result as a table for a terminal. */
export function table(figures: Figure[]): string {
  const rows = rowsOf(figures)
  const widths = HEADING.map((text, column) => Math.max(text.length, ...rows.map((row) => row[column]?.length ?? 0)))
  const line = (cells: string[]) =>
    cells
      .map((cell, column) => cell.padEnd(widths[column] ?? 0))
      .join('  ')
      .trimEnd()
  return [line(HEADING), ...rows.map(line)].join('\n')
}

/** The result as a Markdown table. */
export const tableOfPage = (figures: Figure[]): string => markdown.table(HEADING, rowsOf(figures))

const format = (value: number) =>
  value >= 100 ? Math.round(value).toLocaleString('en') : value.toFixed(value >= 10 ? 1 : 2)
