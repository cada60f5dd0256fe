import { nameKey, type Pool } from '@pointwise/db'
import { run } from './database.ts'

/** Inserts users whose wallets hold `points`, with the history and the events of their charges. Returns their ids. */
export async function insertUsers(db: Pool, names: string[], points: number): Promise<number[]> {
  const values = names.map((name) => `('${name}', '${nameKey(name)}')`).join(', ')
  await run(db, `insert into users (name, name_key) values ${values}`)
  const list = names.map((name) => `'${name}'`).join(', ')
  const users = await run<{ id: number }>(db, `select id from users where name in (${list}) order by id`)
  const ids = users.map(({ id }) => id)
  const wallets = `points.user_id in (${ids.join(', ')})`
  await run(
    db,
    `insert into points (user_id, point, created_at, updated_at) select id, ${points}, created_at, created_at
    from users where id in (${ids.join(', ')})`,
  )
  if (points > 0) {
    await run(
      db,
      `insert into point_histories (point_id, point, balance, use_type, idempotency_key, created_at)
      select id, ${points}, ${points}, 'CHARGE', uuid(), created_at from points where ${wallets}`,
    )
    await run(
      db,
      `insert into events (type, \`key\`, payload, created_at) select 'points.charged', concat('user:', user_id),
      json_object('userId', user_id, 'historyId', h.id, 'amount', h.point, 'balance', h.balance), h.created_at
      from point_histories h join points on points.id = h.point_id where ${wallets}`,
    )
  }
  return ids
}
