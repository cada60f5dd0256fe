/** The number of ids in a block: the bits of an element of a `Uint32Array`. */
export const IDS_PER_BLOCK = 32

const BLOCKS_PER_PAGE = 1_024

/**
 * A set of ids that needs one bit for each id where ids are dense. Bit `n` of block `b` is the id `b * IDS_PER_BLOCK + n`.
 */
export class IdBitmap {
  readonly #pages = new Map<number, Uint32Array>()

  /** Adds an id. Returns false if the set already contained it. */
  add(id: number): boolean {
    const [block, bit] = [Math.floor(id / IDS_PER_BLOCK), 1 << (id % IDS_PER_BLOCK)]
    const page = this.#pages.get(Math.floor(block / BLOCKS_PER_PAGE)) ?? this.#addPage(block)
    const present = page[block % BLOCKS_PER_PAGE] ?? 0
    page[block % BLOCKS_PER_PAGE] = present | bit
    return (present & bit) === 0
  }

  has(id: number): boolean {
    return (this.#bitsOf(Math.floor(id / IDS_PER_BLOCK)) & (1 << (id % IDS_PER_BLOCK))) !== 0
  }

  /** Returns the ids of a block that the set does not contain, and the number of ids that were asked for. */
  missing(block: number, bits: number): { required: number; ids: number[] } {
    return { required: idsOf(block, bits).length, ids: idsOf(block, bits & ~this.#bitsOf(block)) }
  }

  #bitsOf(block: number): number {
    return this.#pages.get(Math.floor(block / BLOCKS_PER_PAGE))?.[block % BLOCKS_PER_PAGE] ?? 0
  }

  #addPage(block: number): Uint32Array {
    const page = new Uint32Array(BLOCKS_PER_PAGE)
    this.#pages.set(Math.floor(block / BLOCKS_PER_PAGE), page)
    return page
  }
}

function idsOf(block: number, bits: number): number[] {
  const ids: number[] = []
  for (let rest = bits >>> 0, index = 0; rest !== 0; rest >>>= 1, index++) {
    if (rest & 1) ids.push(block * IDS_PER_BLOCK + index)
  }
  return ids
}
