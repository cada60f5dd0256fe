/**
 * Every check of the audit, with the statement that it verifies, in the order of the report. The names are part of the
 * contract of `audit.run`; the statements are texts for people.
 */
export const CHECKS = {
  balances: "A wallet's balance equals the sum of its history rows.",
  chains: 'The balance in a history row equals the balance in the previous row plus the points of the row.',
  total: 'The sum of all balances equals charges minus payments plus refunds.',
  totals: "An order's total equals the sum of its lines.",
  payments:
    'A paid or refunded order has exactly one payment, made by its owner, of its total. No other order has a payment.',
  uses: "A paid or refunded order has exactly one USE row, in its owner's wallet, of its total. No other order has a USE row.",
  refunds: 'A refunded order has exactly one refund, of its total. No other order has a refund.',
  returns:
    "A refunded order has exactly one REFUND row, in its owner's wallet, of its total. No other order has a REFUND row.",
  stock: "A product's stock equals the quantity stocked minus the quantity sold.",
  sales: "A product's sales volume equals the quantity in orders that are paid and not refunded.",
  hours:
    "A product's sales in an hour equal the quantity in orders that were paid in that hour and not refunded since.",
  told: 'Each charge, each order that was placed, paid, refunded or cancelled, and each product that was created, restocked or removed, has exactly one event.',
  events:
    'Each event has the fields of its type, and matches the rows that it describes: user, amount, balance, status and products.',
  sequence:
    'In the order of the events, each balance and stock equals the previous one plus the change, and each order and product changes its status in the allowed order.',
  states:
    "A wallet's balance, and a product's name, price, stock, sales volume and removal, are those after its last event.",
  offers: 'An order line has the name and the price that its product had when the order was placed.',
  times:
    'The event and the rows of a change have the same time. No order is paid before it was placed or refunded before it was paid.',
  references: 'Every reference points to an existing row.',
  companions: 'Every user has a wallet, and every product has a stock row.',
  ranges: 'Every value is in its allowed range.',
} as const

export type CheckName = keyof typeof CHECKS
