const balances = {
  name: 'balances',
  promise: "A wallet's balance equals the sum of its history rows.",
  rows: 1,
  broken: 0,
  findings: [],
}

export const run = {
  output: { sound: true, asOf: new Date('2026-03-02T09:30:00Z'), durationMs: 21, checks: [balances] },
}
