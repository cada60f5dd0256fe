import { describe, expect, test } from 'vitest'
import { CheckoutLoad } from './checkout-load.ts'
import {
  type DatabaseCluster,
  type Member,
  mysqlIsMissing,
  STARTS_WITHIN_MS,
  startMysqlCluster,
} from './database-cluster.ts'
import { failOver, portOf } from './failover.ts'

const RECEIVED =
  "select concat(received_transaction_set, ',', @@global.gtid_executed) as gtids from performance_schema.replication_connection_status"

/** The replica that has received the most, and the others. */
async function mostRecent(replicas: Member[]): Promise<{ chosen: Member; others: Member[]; received: string }> {
  const gtids = await Promise.all(
    replicas.map(async (member) => (await member.run<{ gtids: string }>(RECEIVED))[0]?.gtids ?? ''),
  )
  for (const [index, received] of gtids.entries()) {
    const chosen = replicas[index] as Member
    const isSuperset = await Promise.all(
      gtids.map(
        async (other) =>
          (await chosen.run<{ yes: number }>(`select gtid_subset('${other}', '${received}') as yes`))[0]?.yes,
      ),
    )
    if (isSuperset.every((yes) => yes === 1))
      return { chosen, others: replicas.filter((each) => each !== chosen), received }
  }
  throw new Error(`No replica has received what the others have: ${gtids.join(' / ')}`)
}

const follow = (member: Member, source: Member) =>
  member.run(
    'stop replica',
    `change replication source to source_host='127.0.0.1', source_port=${portOf(source)}, source_user='repl', source_password='repl', get_source_public_key=1, source_auto_position=1, source_connect_retry=1`,
    'start replica',
  )

/** Only the primary waits for replicas: a replica that waited for its own would not apply what it receives. It waits without a limit. */
const WAIT_FOR_REPLICA = [
  'set global rpl_semi_sync_source_timeout = 3600000',
  'set global rpl_semi_sync_source_enabled = on',
]
const WAIT_FOR_NONE = 'set global rpl_semi_sync_source_enabled = off'

/** What an operator does: the replica that has received the most applies it, gets replicas of its own, and takes writes. */
async function promoteOne(replicas: Member[]): Promise<Member> {
  const { chosen, others, received } = await mostRecent(replicas)
  await chosen.run('stop replica io_thread', `select wait_for_executed_gtid_set('${received}', 60)`)
  await chosen.run('stop replica', 'reset replica all')
  for (const other of others) await follow(other, chosen)
  await chosen.run(...WAIT_FOR_REPLICA, 'set global super_read_only = off', 'set global read_only = off')
  return chosen
}

async function start(): Promise<{ cluster: DatabaseCluster; load: CheckoutLoad; members: [Member, Member, Member] }> {
  const cluster = await startMysqlCluster('semisync')
  try {
    const members = cluster.members as [Member, Member, Member]
    for (const { run } of members) await run(WAIT_FOR_NONE)
    await members[0].run(...WAIT_FOR_REPLICA)
    const load = await CheckoutLoad.start(cluster.url('shop'))
    return { cluster, load, members }
  } catch (error) {
    await cluster[Symbol.asyncDispose]()
    throw error
  }
}

describe.skipIf(mysqlIsMissing)(`Semi-synchronous replicas${mysqlIsMissing ? ` (${mysqlIsMissing})` : ''}`, () => {
  test('A planned switchover, and then a kill of the new primary, lose and double nothing', {
    timeout: STARTS_WITHIN_MS,
  }, async () => {
    const { members, ...started } = await start()
    await using _cluster = started.cluster
    await using load = started.load
    const [first, second, third] = members
    let primary = first
    await failOver({
      title: 'Semi-synchronous, planned switchover',
      load,
      fail: async () => {
        await first.run('set global super_read_only = on')
        primary = await promoteOne([second, third])
      },
      hasFailedOver: async () => true,
    })
    const replica = primary === second ? third : second
    await first.run(WAIT_FOR_NONE)
    await follow(first, primary)
    await load.more()
    await failOver({
      title: 'Semi-synchronous, kill -9',
      load,
      fail: async () => {
        await primary.kill()
        await promoteOne([first, replica])
      },
      hasFailedOver: async () => true,
    })
    await load.expectTruth()
    for (const primaries of load.primaries()) expect(primaries.length).toBeGreaterThanOrEqual(3)
  })

  test('A primary that hangs, and continues beside the promoted replica, loses and doubles nothing', {
    timeout: STARTS_WITHIN_MS,
  }, async () => {
    const { members, ...started } = await start()
    await using _cluster = started.cluster
    await using load = started.load
    const [first, second, third] = members
    await failOver({
      title: 'Semi-synchronous, SIGSTOP',
      load,
      fail: async () => {
        await first.pause()
        await promoteOne([second, third])
      },
      hasFailedOver: async () => true,
    })
    // It still takes writes. The servers stay with the promoted replica.
    await first.resume()
    await load.more(500)
    await first.kill()
    await load.expectTruth()
  })
})
