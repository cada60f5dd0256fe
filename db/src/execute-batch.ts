import {
  type Compilable,
  CompiledQuery,
  type DeleteResult,
  type InferResult,
  type InsertResult,
  type UpdateResult,
} from 'kysely'
import type { Tx } from './handles.ts'
import { joinStatements } from './script.ts'

/** The result of an INSERT, UPDATE or DELETE. */
export interface WriteResult {
  /** The first auto-increment id that was assigned, or 0. */
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
 * Sends several statements in one round trip, or on Galera one after the other (see `PooledConnection.query`), and returns their
 * results by name: rows for a SELECT, a WriteResult for a write. The server runs them one after the other, in the order of the object's properties. An undefined statement is
 * not sent, and its result is undefined. When a statement fails, the later ones do not run.
 *
 * @throws the error of the statement that failed.
 */
export async function executeBatch<const S extends Readonly<Record<string, Statement>>>(
  tx: Tx,
  statements: S,
): Promise<{ -readonly [Name in keyof S]: ResultOf<S[Name]> }> {
  const sent = Object.entries(statements).flatMap(([name, statement]) =>
    statement ? [[name, statement.compile()] as const] : [],
  )
  const results = await send(
    tx,
    sent.map(([, compiled]) => compiled),
  )
  return Object.fromEntries(sent.map(([name], index) => [name, results[index]])) as Awaited<
    ReturnType<typeof executeBatch<S>>
  >
}

async function send(tx: Tx, compiled: CompiledQuery[]): Promise<unknown[]> {
  if (compiled.length === 0) return []
  const { sql, parameters } = joinStatements(compiled)
  const { rows, insertId, numAffectedRows } = await tx.executeQuery(CompiledQuery.raw(sql, [...parameters]))
  if (compiled.length > 1) return rows
  const isWrite = numAffectedRows !== undefined
  return [isWrite ? { insertId: Number(insertId ?? 0), affectedRows: Number(numAffectedRows) } : rows]
}
