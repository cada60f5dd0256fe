export interface Point {
  buyers: number
  perSecond: number
  p50Ms: number
  p99Ms: number
}

const WIDTH = 640
const HEIGHT = 320
const LEFT = 60
const BOTTOM = 40
const TOP = 40

/** The chart of one hot product: payments a second (bars) and latency (lines) by the number of concurrent buyers. */
export function chart(points: Point[], subtitle: string): string {
  const perSecondMax = Math.max(...points.map(({ perSecond }) => perSecond)) * 1.1
  const latencyMax = Math.max(...points.map(({ p99Ms }) => p99Ms)) * 1.1
  const step = (WIDTH - LEFT * 2) / points.length
  const x = (index: number) => LEFT + step * (index + 0.5)
  const y = (share: number) => HEIGHT - BOTTOM - share * (HEIGHT - BOTTOM - TOP)
  const bars = points.map(({ perSecond, buyers }, index) => {
    const top = y(perSecond / perSecondMax)
    return `<rect x="${x(index) - step * 0.3}" y="${top}" width="${step * 0.6}" height="${HEIGHT - BOTTOM - top}" fill="#7aa2d6"/>
<text x="${x(index)}" y="${top - 6}" text-anchor="middle">${Math.round(perSecond).toLocaleString('en')}/s</text>
<text x="${x(index)}" y="${HEIGHT - BOTTOM + 18}" text-anchor="middle">${buyers.toLocaleString('en')}</text>`
  })
  const line = (pick: (point: Point) => number, colour: string, name: string) => {
    const coordinates = points.map((point, index) => `${x(index)},${y(pick(point) / latencyMax)}`)
    const last = points.at(-1)
    return `<polyline points="${coordinates.join(' ')}" fill="none" stroke="${colour}" stroke-width="2"/>
<text x="${WIDTH - LEFT + 6}" y="${last ? y(pick(last) / latencyMax) : 0}" fill="${colour}">${name} ${last ? Math.round(pick(last)) : 0} ms</text>`
  }
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH + 40} ${HEIGHT}" font-family="sans-serif" font-size="12" fill="#333">
<title>Payments a second, and their latency, by the number of buyers of one product</title>
<rect width="100%" height="100%" fill="#fff"/>
<text x="${LEFT}" y="18" font-size="14">Payments of one product: throughput and latency</text>
<text x="${LEFT}" y="34" fill="#777">${subtitle}</text>
${bars.join('\n')}
${line(({ p50Ms }) => p50Ms, '#2e7d32', 'p50')}
${line(({ p99Ms }) => p99Ms, '#c62828', 'p99')}
<text x="${WIDTH / 2}" y="${HEIGHT - 4}" text-anchor="middle">concurrent buyers</text>
</svg>
`
}
