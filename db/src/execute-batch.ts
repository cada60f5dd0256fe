import {
  type Compilable,
  CompiledQuery,
  type DeleteResult,
  type InferResult,
  type InsertResult,
  type UpdateResult,
} from 'kysely'
import type { Tx } from './handles.ts'

/** What a statement that writes did. */
export interface WriteResult {
  /** The first id that was given, or 0. */
  insertId: number
  affectedRows: number
}

type Statement = Compilable<unknown> | undefined
type ResultOf<S> =
  S extends Compilable<infer Row>
    ? Row extends InsertResult | UpdateResult | DeleteResult
      ? WriteResult
      : InferResult<S>
    : undefined

/**
 * Sends several statements in one round trip and returns their results in order; one that is undefined is left out, and
 * so is its result. They run one after the other: when one fails, those after it do not run, and its error is thrown.
 */
export async function executeBatch<const S extends readonly Statement[]>(
  tx: Tx,
  ...statements: S
): Promise<{ -readonly [Index in keyof S]: ResultOf<S[Index]> }> {
  const compiled = statements.flatMap((statement) => statement?.compile() ?? [])
  const results = await send(tx, compiled)
  return statements.map((statement) => statement && results.shift()) as Awaited<ReturnType<typeof executeBatch<S>>>
}

async function send(tx: Tx, compiled: CompiledQuery[]): Promise<unknown[]> {
  if (compiled.length === 0) return []
  const script = compiled.map(({ sql }) => sql).join(';\n')
  const { rows, insertId, numAffectedRows } = await tx.executeQuery(
    CompiledQuery.raw(
      script,
      compiled.flatMap(({ parameters }) => parameters),
    ),
  )
  if (compiled.length > 1) return rows
  const isWrite = numAffectedRows !== undefined
  return [isWrite ? { insertId: Number(insertId ?? 0), affectedRows: Number(numAffectedRows) } : rows]
}
