export interface Bench {
  /** The URL of the database server. A part creates its own databases on it. */
  server: string
  /** The server's version and durability settings. */
  description: string
  /** How often each measurement and its baseline run, in turn, after one warm-up. */
  rounds: number
  print: (line: string) => void
  writeChart: (svg: string) => Promise<void>
}

/**
 * Runs all measurements in turn, once in each round of the benchmark, after a warm-up round. A slow moment thus affects a
 * measurement and its baseline. Returns the values of each measurement by name, in order of the rounds.
 */
export async function inTurn<Name extends string, Value = number>(
  { rounds, print }: Pick<Bench, 'rounds' | 'print'>,
  part: string,
  measurements: Record<Name, () => Promise<Value>>,
  format: (value: Value) => string = (value) => Number(value).toFixed(2),
): Promise<Record<Name, Value[]>> {
  const names = Object.keys(measurements) as Name[]
  const values = Object.fromEntries(names.map((name) => [name, []])) as unknown as Record<Name, Value[]>
  for (let round = 0; round <= rounds; round++) {
    for (const name of names) {
      const value = await measurements[name]()
      print(`${part}, ${round === 0 ? 'warm-up' : `round ${round} of ${rounds}`}: ${name} ${format(value)}`)
      if (round > 0) values[name].push(value)
    }
  }
  return values
}
