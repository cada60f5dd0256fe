const IDS_PER_BLOCK = 32
const BLOCKS_PER_PAGE = 1_024

/** A set of ids that costs a bit for each where they lie close together, filled a block of 32 at a time. */
export class IdBitmap {
  readonly #pages = new Map<number, Uint32Array>()

  /** Adds the ids of a block and returns those that were there already. */
  add(block: number, bits: number): number[] {
    const page = this.#pages.get(Math.floor(block / BLOCKS_PER_PAGE)) ?? this.#open(block)
    const place = block % BLOCKS_PER_PAGE
    const known = page[place] ?? 0
    page[place] = known | bits
    return idsOf(block, known & bits)
  }

  /** The ids of a block that are missing here. */
  missing(block: number, bits: number): number[] {
    const known = this.#pages.get(Math.floor(block / BLOCKS_PER_PAGE))?.[block % BLOCKS_PER_PAGE] ?? 0
    return idsOf(block, bits & ~known)
  }

  #open(block: number): Uint32Array {
    const page = new Uint32Array(BLOCKS_PER_PAGE)
    this.#pages.set(Math.floor(block / BLOCKS_PER_PAGE), page)
    return page
  }
}

function idsOf(block: number, bits: number): number[] {
  const ids: number[] = []
  for (let rest = bits, place = 0; rest !== 0; rest >>>= 1, place++) {
    if (rest & 1) ids.push(block * IDS_PER_BLOCK + place)
  }
  return ids
}
