import type { SettlementRequest } from './decide.ts'

/** How many order lines one transaction settles at most. Its work, and the time for which it holds locks, grow with them. */
const LINES_MAX = 1_024

/** The number of lines of an order to pay, once it was read. */
const lineCounts = new WeakMap<SettlementRequest, number>()

/** Records how many lines the order of a request has. Until then, an order to pay counts as one line. */
export function recordLineCount(request: SettlementRequest, count: number): void {
  lineCounts.set(request, count)
}

/** The requests from the first one on that fit into one transaction: at least one. The others wait for the next batch. */
export function fittingRequests(requests: readonly SettlementRequest[]): SettlementRequest[] {
  let lines = 0
  const end = requests.findIndex((request, index) => {
    lines += request.kind === 'checkout' ? request.items.length : (lineCounts.get(request) ?? 1)
    return index > 0 && lines > LINES_MAX
  })
  return requests.slice(0, end === -1 ? undefined : end)
}
