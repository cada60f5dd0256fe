/*
 * Runs the consumer of the client's page: node consumer-process.ts <its module> <broker> <URL of its database> [<count>]
 * With a count, the process ends within the transaction of that reward.
 */
import { Kysely, MysqlDialect } from 'kysely'
import { createPool } from 'mysql2'

export interface ConsumerTables {
  positions: { partition: number; lastId: number }
  rewards: { userId: number; amount: number }
}

const [module = '', broker = '', uri = '', count] = process.argv.slice(2)
const db = new Kysely<ConsumerTables>({ dialect: new MysqlDialect({ pool: createPool(uri) }) })
let rewards = 0

async function addReward(tx: Kysely<ConsumerTables>, userId: number, amount: number): Promise<void> {
  await tx.insertInto('rewards').values({ userId, amount }).execute()
  if (++rewards === Number(count)) process.exit(1)
}

const { run } = await import(module)
await run({ brokers: [broker], db, addReward })
