import type { Call, Item, Result } from './shop-state.ts'

/** Describes a call in a few words, such as "Ada charges 5 (key 0)". */
export function describeCall(call: Call): string {
  switch (call.type) {
    case 'charge':
      return `${call.user} charges ${call.amount} (key ${call.key})`
    case 'place':
      return `${call.user} places ${describeItems(call.items)} (key ${call.key})`
    case 'checkout':
      return `${call.user} checks out ${describeItems(call.items)} (key ${call.key})`
    case 'pay':
      return `${call.user} pays ${call.order}`
    case 'cancel':
      return `${call.user} cancels ${call.order}`
    case 'refund':
      return `the admin refunds ${call.order}`
    case 'restock':
      return `the admin restocks ${call.quantity} ${call.product} (key ${call.key})`
    case 'reprice':
      return `the admin prices ${call.product} at ${call.price}`
    case 'remove':
      return `the admin removes ${call.product}`
    case 'get balance':
      return `${call.user} gets the balance`
    case 'get product':
      return `the admin gets ${call.product}`
  }
}

/** Describes a result in a few words, such as "balance 5". */
export function describeResult(result: Result): string {
  const { refused, replayed, order: _, items: __, product: ___, ...fields } = result
  if (refused) {
    const { code, ...details } = refused as Result
    return [`refused ${code}`, ...describeFields(details)].join(', ')
  }
  return [...(replayed === true ? ['replayed'] : []), ...describeFields(fields)].join(', ')
}

const describeFields = (fields: Result) => Object.entries(fields).map(([name, value]) => `${name} ${value}`)

const describeItems = (items: Item[]) =>
  items.map(({ product, quantity, price }) => `${quantity} ${product} at ${price}`).join(' and ')
