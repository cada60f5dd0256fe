import { useState } from 'react'
import { formatNumber } from '../format.ts'

const FEW = 10

/** The stock of a product. A low stock is highlighted. */
export function StockLabel({ stock }: { stock: number }) {
  const [initialStock] = useState(stock)
  const state = stock === 0 ? 'none' : stock <= FEW ? 'few' : 'many'
  const text =
    stock === 0 ? 'Sold out' : stock <= FEW ? `Only ${formatNumber(stock)} left` : `${formatNumber(stock)} left`
  return (
    // A new element for each number restarts the animation.
    <span key={stock} className={stock === initialStock ? 'stock' : 'stock changed'} data-stock={state}>
      {text}
    </span>
  )
}
