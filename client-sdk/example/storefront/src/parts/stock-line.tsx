import { useState } from 'react'
import { count } from '../words.ts'

const FEW = 10

/** How many are left; few of them in a colour that warns. */
export function StockLine({ stock }: { stock: number }) {
  const [first] = useState(stock)
  const state = stock === 0 ? 'none' : stock <= FEW ? 'few' : 'many'
  const text = stock === 0 ? 'Sold out' : stock <= FEW ? `Only ${count(stock)} left` : `${count(stock)} left`
  return (
    // A new element for each number, so that a change is seen to happen.
    <span key={stock} className={stock === first ? 'stock' : 'stock changed'} data-stock={state}>
      {text}
    </span>
  )
}
