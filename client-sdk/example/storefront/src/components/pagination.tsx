import { Link } from '../router.tsx'
import { Back, Forward } from './icons.tsx'

interface PaginationProps {
  number: number
  total: number
  pathOf: (number: number) => string
}

/** The page numbers to show: the first, the last, and those around the current one. */
function pageNumbers(number: number, total: number): (number | 'gap')[] {
  const candidates = [1, number - 1, number, number + 1, total].filter((each) => each >= 1 && each <= total)
  const numbers = [...new Set(candidates)].toSorted((a, b) => a - b)
  return numbers.flatMap((each, index) => {
    const before = numbers[index - 1] ?? 0
    if (each - before === 2) return [each - 1, each]
    return each - before > 2 ? ['gap', each] : [each]
  })
}

export function Pagination({ number, total, pathOf }: PaginationProps) {
  if (total <= 1) return null
  return (
    <nav className="pagination" aria-label="Pages">
      {number > 1 ? (
        <Link className="page-link" href={pathOf(number - 1)} rel="prev" aria-label="Previous page">
          <Back />
        </Link>
      ) : (
        <span className="page-link" aria-hidden="true">
          <Back />
        </span>
      )}
      {pageNumbers(number, total).map((each, index, all) =>
        each === 'gap' ? (
          <span key={`after ${all[index - 1]}`} className="page-gap" aria-hidden="true">
            …
          </span>
        ) : (
          <Link
            key={each}
            className="page-link"
            href={pathOf(each)}
            aria-label={`Page ${each}`}
            aria-current={each === number ? 'page' : undefined}
          >
            {each}
          </Link>
        ),
      )}
      {number < total ? (
        <Link className="page-link" href={pathOf(number + 1)} rel="next" aria-label="Next page">
          <Forward />
        </Link>
      ) : (
        <span className="page-link" aria-hidden="true">
          <Forward />
        </span>
      )}
    </nav>
  )
}
