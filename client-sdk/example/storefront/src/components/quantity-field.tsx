import { useId, useState } from 'react'
import { Minus, Plus } from './icons.tsx'

const QUANTITY_MAX = 1_000

interface QuantityFieldProps {
  value: number
  onChange: (value: number) => void
}

/** A number of pieces. The server checks it against the stock. */
export function QuantityField({ value, onChange }: QuantityFieldProps) {
  const id = useId()
  // The field may be empty while the user types. It counts as 1 then.
  const [isEmpty, setEmpty] = useState(false)
  const set = (next: number) => onChange(Math.min(QUANTITY_MAX, Math.max(1, Math.trunc(next) || 1)))
  return (
    <div className="field">
      <label htmlFor={id}>Quantity</label>
      <div className="stepper">
        <button type="button" aria-label="One less" disabled={value <= 1} onClick={() => set(value - 1)}>
          <Minus />
        </button>
        <input
          id={id}
          inputMode="numeric"
          autoComplete="off"
          value={isEmpty ? '' : value}
          onFocus={({ currentTarget }) => currentTarget.select()}
          onBlur={() => setEmpty(false)}
          onChange={({ target }) => {
            const digits = target.value.replace(/\D/g, '')
            setEmpty(digits === '')
            set(Number(digits))
          }}
        />
        <button type="button" aria-label="One more" disabled={value >= QUANTITY_MAX} onClick={() => set(value + 1)}>
          <Plus />
        </button>
      </div>
    </div>
  )
}
