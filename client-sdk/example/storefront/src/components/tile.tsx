import { memo } from 'react'
import { tilePattern } from './tile-pattern.ts'

/** A pattern in place of a picture. It depends on the product's id only. */
export const Tile = memo(function Tile({ productId }: { productId: number }) {
  const { ground, layers } = tilePattern(productId)
  return (
    <svg className="tile" viewBox="0 0 100 100" aria-hidden="true" preserveAspectRatio="xMidYMid slice">
      <rect width="100" height="100" fill={ground} />
      {[0, 90, 180, 270].map((turn) => (
        <g key={turn} transform={`rotate(${turn} 50 50)`}>
          {layers.map(({ colour, path }) => (
            <path key={colour} fill={colour} stroke={colour} strokeWidth="0.3" d={path} />
          ))}
        </g>
      ))}
    </svg>
  )
})
