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
  told: 'Each charge, and each order that was placed, paid, refunded or cancelled, has exactly one event.',
  events: 'Each event matches the rows that it describes: user, amount, balance, status and products.',
  references: 'Every reference points to an existing row.',
  companions: 'Every user has a wallet, and every product has a stock row.',
  ranges: 'Every value is in its allowed range.',
} as const

export type CheckName = keyof typeof CHECKS
