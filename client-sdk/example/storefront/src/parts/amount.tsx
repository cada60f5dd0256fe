import { count } from '../words.ts'

/** An amount of points, the unit small beside it. */
export function Amount({ value, sign = false }: { value: number; sign?: boolean }) {
  return (
    <span className="amount">
      {sign && value > 0 ? '+' : ''}
      {value < 0 ? '−' : ''}
      {count(Math.abs(value))}
      <span className="unit" aria-hidden="true">
        pts
      </span>
      <span className="unseen"> points</span>
    </span>
  )
}
