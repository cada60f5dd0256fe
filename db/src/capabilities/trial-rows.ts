import { randomInt, randomUUID } from 'node:crypto'
import { type Compilable, CompiledQuery } from 'kysely'

/** How many ids, from the first one on, belong to one trial. */
export const IDS_PER_TRIAL = 32

/**
 * Returns the first of `IDS_PER_TRIAL` ids for rows that are never committed. Every id is negative, so that the rows differ from
 * those of the shop, and so that the server's counter of ids does not advance.
 */
export function firstTrialId(): number {
  return -IDS_PER_TRIAL * randomInt(2, 2 ** 47)
}

/** A statement as written. */
export function written(statement: string): Compilable<unknown> {
  return { compile: () => CompiledQuery.raw(statement) as CompiledQuery<unknown> }
}

/** Inserts a user with this id, which orders and wallets refer to. */
export function insertUser(id: number): string {
  return `insert into users (id, name, name_key) values (${id}, 'start-check', 'start-check:${randomUUID()}')`
}
