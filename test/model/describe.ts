import type { Answer, Call, Item } from './world.ts'

/** A call as a person would tell it: "Ada charges 5". */
export function told(call: Call): string {
  switch (call.does) {
    case 'charge':
      return `${call.user} charges ${call.amount} (key ${call.key})`
    case 'place':
      return `${call.user} places ${listed(call.items)} (key ${call.key})`
    case 'checkout':
      return `${call.user} checks out ${listed(call.items)} (key ${call.key})`
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
    case 'look at the balance':
      return `${call.user} looks at the balance`
    case 'look at the product':
      return `somebody looks at ${call.product}`
  }
}

/** What came of it: "balance 5". */
export function outcome(answer: Answer): string {
  const { refused, replayed, order: _, items: __, product: ___, ...fields } = answer
  if (refused) {
    const { code, ...details } = refused as Answer
    return [`refused ${code}`, ...pairs(details)].join(', ')
  }
  return [...(replayed === true ? ['replayed'] : []), ...pairs(fields)].join(', ')
}

const pairs = (fields: Answer) => Object.entries(fields).map(([name, value]) => `${name} ${value}`)

const listed = (items: Item[]) =>
  items.map(({ product, quantity, price }) => `${quantity} ${product} at ${price}`).join(' and ')
