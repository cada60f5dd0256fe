/** Palettes of a background and three colours. */
const PALETTES = [
  ['#f3e3c8', '#c8553d', '#2f4858', '#e9b872'],
  ['#dfe7e0', '#33658a', '#86bbd8', '#f6ae2d'],
  ['#f0dad0', '#8f2d56', '#d98f70', '#3b3355'],
  ['#dcead9', '#2a6f4e', '#8fb996', '#f2c14e'],
  ['#e4e0f0', '#4a4e8f', '#9a94cf', '#ee8572'],
  ['#fbe5cf', '#d9743f', '#20504f', '#f0b67f'],
  ['#d9e8ec', '#1f5e6b', '#ee6c4d', '#7fb2b8'],
  ['#efe4e9', '#6d3b5e', '#c38d9e', '#e8a87c'],
  ['#e9e6d3', '#5b6c3b', '#b7b063', '#bc5f3d'],
  ['#e2e6ea', '#343f56', '#8d99ae', '#ef8a5d'],
] as const

/** The side of a cell. A pattern has four by four cells. One quarter is generated, and rotated for the other three. */
const SIDE = 25

type Corner = { x: number; y: number; dx: number; dy: number }
type Shape = (corner: Corner) => string

const sweep = ({ dx, dy }: Corner) => (dx * dy > 0 ? 1 : 0)

const quarter: Shape = (corner) =>
  `M${corner.x} ${corner.y}h${corner.dx}a${SIDE} ${SIDE} 0 0 ${sweep(corner)} ${-corner.dx} ${corner.dy}z`
const leaf: Shape = (corner) => {
  const arc = `${SIDE} ${SIDE} 0 0 ${sweep(corner)}`
  return `M${corner.x} ${corner.y}a${arc} ${corner.dx} ${corner.dy}a${arc} ${-corner.dx} ${-corner.dy}z`
}
const triangle: Shape = ({ x, y, dx, dy }) => `M${x} ${y}h${dx}l${-dx} ${dy}z`
const disc =
  (radius: number): Shape =>
  ({ x, y, dx, dy }) =>
    `M${x + dx / 2 - radius} ${y + dy / 2}a${radius} ${radius} 0 1 1 ${2 * radius} 0a${radius} ${radius} 0 1 1 ${-2 * radius} 0z`
const diamond: Shape = ({ x, y, dx, dy }) => `M${x + dx / 2} ${y + dy / 2 - 8}l8 8l-8 8l-8 -8z`
const half: Shape = (corner) =>
  `M${corner.x} ${corner.y}v${corner.dy}a${SIDE / 2} ${SIDE / 2} 0 0 ${1 - sweep(corner)} 0 ${-corner.dy}z`

const LARGE: Shape[] = [quarter, leaf, triangle, half, quarter, leaf]
const SMALL: Shape[] = [disc(4.5), disc(7), diamond]

/** A pseudorandom number generator (mulberry32): the same seed gives the same numbers, from 0 (inclusive) to 1. */
function numbers(seed: number): () => number {
  let state = Math.imul(seed, 0x9e3779b1) >>> 0
  return () => {
    state = (state + 0x6d2b79f5) >>> 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
}

/** Generates the pattern of a product: its background and its SVG paths by colour. */
export function tilePattern(seed: number): { ground: string; layers: { colour: string; path: string }[] } {
  const next = numbers(seed)
  const pick = <T>(from: readonly T[]): T => from[Math.floor(next() * from.length)] as T
  const [ground, ...inks] = pick(PALETTES)
  const paths = new Map<string, string>()
  const draw = (colour: string, path: string) => paths.set(colour, (paths.get(colour) ?? '') + path)
  const offset = Math.floor(next() * inks.length)
  const ink = (index: number) => inks[(offset + index) % inks.length] ?? ground
  for (const [index, [column, row]] of [
    [0, 0],
    [1, 0],
    [0, 1],
    [1, 1],
  ].entries() as Iterable<[number, [number, number]]>) {
    const right = next() < 0.5
    const bottom = next() < 0.5
    const corner: Corner = {
      x: (column + (right ? 1 : 0)) * SIDE,
      y: (row + (bottom ? 1 : 0)) * SIDE,
      dx: right ? -SIDE : SIDE,
      dy: bottom ? -SIDE : SIDE,
    }
    draw(ink(index), pick(LARGE)(corner))
    if (next() < 0.45) draw(ink(index + 1), pick(SMALL)({ x: column * SIDE, y: row * SIDE, dx: SIDE, dy: SIDE }))
  }
  return { ground, layers: [...paths].map(([colour, path]) => ({ colour, path })) }
}
