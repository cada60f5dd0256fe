import { randomUUID } from 'node:crypto'
import { CompiledQuery, type Kysely, sql } from 'kysely'
import { errorMessage } from '../error-message.ts'
import { errorCode, isTransient } from '../errors.ts'
import { executeBatch } from '../execute-batch.ts'
import type { Tx } from '../handles.ts'
import { rollbackQuietly } from '../rollback-quietly.ts'
import type { Tables } from '../tables.ts'
import type { CapabilityFailure } from './capability.ts'
import { CONSTRAINTS, type ConstraintKind, type TrialRow, trialRows } from './constraints.ts'
import { lockFirst } from './reserved-rows.ts'
import { firstTrialId, IDS_PER_TRIAL, insertUser, written } from './trial-rows.ts'

/** The errors of MySQL and of MariaDB. */
const ERRORS: Record<ConstraintKind, unknown[]> = {
  checkConstraints: [3819, 4025],
  uniqueKeys: [1062],
  foreignKeys: [1452],
}

/** Tries on rows that are never committed that the server enforces every constraint of the tables. */
export async function tryConstraints(db: Kysely<Tables>): Promise<CapabilityFailure[]> {
  return withoutCommit(db, async (tx) => {
    const row = { id: firstTrialId(), key: randomUUID() }
    await executeBatch(tx, Object.fromEntries(trialRows(row).map((insert, index) => [index, written(insert)])))
    return [...(await tryManyNames(tx, row)), ...(await tryViolations(tx, row))]
  })
}

/** Tries on orders that are never committed which ids the server assigns to the rows of one INSERT. */
export async function tryIds(db: Kysely<Tables>): Promise<CapabilityFailure[]> {
  return withoutCommit(db, async (tx) => {
    const id = firstTrialId()
    await executeBatch(tx, { user: written(insertUser(id)) })
    return tryConsecutiveIds(tx, id)
  })
}

async function withoutCommit<T>(db: Kysely<Tables>, work: (tx: Tx) => Promise<T>): Promise<T> {
  const tx = await db.startTransaction().execute()
  try {
    await lockFirst(tx)
    return await work(tx)
  } finally {
    await rollbackQuietly(tx)
  }
}

async function tryViolations(tx: Tx, row: TrialRow): Promise<CapabilityFailure[]> {
  const failures: CapabilityFailure[] = []
  for (const { table, name, kind, violations } of CONSTRAINTS) {
    for (const violation of violations(row)) {
      const error = await tx.executeQuery(CompiledQuery.raw(violation)).then(
        () => undefined,
        (error: unknown) => error,
      )
      if (ERRORS[kind].includes(errorCode(error))) continue
      if (error !== undefined && isTransient(error)) throw error
      const outcome = error instanceof Error ? `failed with another error: ${errorMessage(error)}` : 'succeeded'
      const found = `The constraint \`${name}\` of \`${table}\` was not enforced: \`${violation}\` ${outcome}.`
      failures.push({ capability: kind, found })
    }
  }
  return failures
}

/** A sharded database may enforce a unique key within each shard only. */
async function tryManyNames(tx: Tx, { id, key }: TrialRow): Promise<CapabilityFailure[]> {
  const ids = Array.from({ length: IDS_PER_TRIAL / 2 }, (_, index) => id + IDS_PER_TRIAL / 2 + index)
  const name_key = `start-check:${key}:many`
  const { inserted } = await executeBatch(tx, {
    inserted: tx
      .insertInto('users')
      .ignore()
      .values(ids.map((id) => ({ id, name: 'start-check', name_key, deleted_at: null }))),
  })
  if (inserted.affectedRows === 1) return []
  const found = `${inserted.affectedRows} of ${ids.length} users with one \`name_key\` were inserted.`
  return [{ capability: 'uniqueKeys', found }]
}

async function tryConsecutiveIds(tx: Tx, user_id: number): Promise<CapabilityFailure[]> {
  const keys = [randomUUID(), randomUUID(), randomUUID()]
  const order = { user_id, status: 'pending', total_price: 0, paid_at: null } as const
  const { inserted, orders } = await executeBatch(tx, {
    inserted: tx.insertInto('orders').values(keys.map((idempotency_key) => ({ ...order, idempotency_key }))),
    orders: tx
      .selectFrom('orders')
      .select('id')
      .where('user_id', '=', user_id)
      .where('idempotency_key', 'in', keys)
      .orderBy(sql`field(idempotency_key, ${sql.join(keys)})`),
  })
  const found = orders.map(({ id }) => id)
  if (keys.every((_, index) => found[index] === inserted.insertId + index)) return []
  return [
    {
      capability: 'consecutiveIds',
      found: `An INSERT of ${keys.length} orders, whose first id is ${inserted.insertId}, assigned the ids ${found.join(', ')}.`,
    },
  ]
}
