import * as markdown from '../../server/scripts/markdown.ts'

/** One figure: a name, what was measured in each round, and against what. */
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

/** The median over the rounds of the ratio within each: what a slow moment does to both is not seen in it. */
export function ratioOf({ values, baseline }: Figure): number | undefined {
  if (!baseline) return undefined
  return median(values.map((value, round) => value / (baseline.values[round] ?? Number.NaN)))
}

const HEADING = ['figure', 'median', 'baseline', 'ratio', 'goal']

function rowsOf(figures: Figure[]): string[][] {
  return figures.map((figure) => {
    const ratio = ratioOf(figure)
    const { goal, baseline } = figure
    const wanted = goal && ('atLeast' in goal ? `≥ ${goal.atLeast}` : `≤ ${goal.atMost}`)
    const isMet = ratio !== undefined && goal && ('atLeast' in goal ? ratio >= goal.atLeast : ratio <= goal.atMost)
    return [
      figure.name,
      `${shown(median(figure.values))} ${figure.unit}`,
      baseline ? `${shown(median(baseline.values))} ${figure.unit} (${baseline.name})` : '',
      ratio === undefined ? '' : shown(ratio),
      wanted ? `${wanted}${isMet ? '' : ', missed'}` : '',
    ]
  })
}

/** For a terminal. */
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

/** For a page. */
export const tableOfPage = (figures: Figure[]): string => markdown.table(HEADING, rowsOf(figures))

const shown = (value: number) =>
  value >= 100 ? Math.round(value).toLocaleString('en') : value.toFixed(value >= 10 ? 1 : 2)
