import { formatNumber } from '../format.ts'

/** A number of points with its unit. */
export function Amount({ value, sign = false }: { value: number; sign?: boolean }) {
  return (
    <span className="amount">
      {sign && value > 0 ? '+' : ''}
      {value < 0 ? '−' : ''}
      {formatNumber(Math.abs(value))}
      <span className="unit" aria-hidden="true">
        pts
      </span>
      <span className="visually-hidden"> points</span>
    </span>
  )
}
