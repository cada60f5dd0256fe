/** The number of ids in a block: the bits of an element of a `Uint32Array`. */
export const IDS_PER_BLOCK = 32

const BLOCKS_PER_PAGE = 1_024

/**
 * A set of ids that needs one bit for each id where ids are dense. Ids are added and looked up a block at a time: bit `n`
 * of block `b` is the id `b * IDS_PER_BLOCK + n`.
 */
export class IdBitmap {
  readonly #pages = new Map<number, Uint32Array>()

  /** Adds the ids of a block and returns those that the set already contained. */
  add(block: number, bits: number): number[] {
    const page = this.#pages.get(Math.floor(block / BLOCKS_PER_PAGE)) ?? this.#addPage(block)
    const index = block % BLOCKS_PER_PAGE
    const present = page[index] ?? 0
    page[index] = present | bits
    return idsOf(block, present & bits)
  }

  /** Returns the ids of a block that the set does not contain. */
  missing(block: number, bits: number): number[] {
    const present = this.#pages.get(Math.floor(block / BLOCKS_PER_PAGE))?.[block % BLOCKS_PER_PAGE] ?? 0
    return idsOf(block, bits & ~present)
  }

  #addPage(block: number): Uint32Array {
    const page = new Uint32Array(BLOCKS_PER_PAGE)
    this.#pages.set(Math.floor(block / BLOCKS_PER_PAGE), page)
    return page
  }
}

export function countBits(bits: number): number {
  let count = 0
  for (let rest = bits; rest !== 0; rest = (rest & (rest - 1)) >>> 0) count++
  return count
}

function idsOf(block: number, bits: number): number[] {
  const ids: number[] = []
  for (let rest = bits, index = 0; rest !== 0; rest >>>= 1, index++) {
    if (rest & 1) ids.push(block * IDS_PER_BLOCK + index)
  }
  return ids
}
