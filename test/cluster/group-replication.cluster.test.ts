import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { eventually } from '../setup/eventually.ts'
import { CheckoutLoad } from './checkout-load.ts'
import {
  type DatabaseCluster,
  type Member,
  mysqlIsMissing,
  STARTS_WITHIN_MS,
  startMysqlCluster,
} from './database-cluster.ts'
import { failOver, memberAt } from './failover.ts'

const GROUP =
  'select member_id as id, member_port as port, member_state as state, member_role as role from performance_schema.replication_group_members'

interface GroupMember {
  id: string
  port: number
  state: string
  role: string
}

describe.skipIf(mysqlIsMissing)(`Group Replication${mysqlIsMissing ? ` (${mysqlIsMissing})` : ''}`, () => {
  let cluster: DatabaseCluster
  let load: CheckoutLoad
  beforeAll(async () => {
    // A member that does not respond is expelled at once, and not after five seconds more.
    cluster = await startMysqlCluster('group', { EXPEL: '0' })
    for (const { run } of cluster.members) await run('set global group_replication_unreachable_majority_timeout = 5')
    load = await CheckoutLoad.start(cluster.url('shop'))
  }, STARTS_WITHIN_MS)
  afterAll(async () => {
    try {
      await load?.[Symbol.asyncDispose]()
    } finally {
      await cluster?.[Symbol.asyncDispose]()
    }
  })

  const primaryOf = async (witness: Member) => {
    const group = await witness.run<GroupMember>(GROUP)
    const primary = group.find(({ state, role }) => state === 'ONLINE' && role === 'PRIMARY')
    return memberAt(cluster, primary?.port)
  }
  /** The primary, as another member than itself knows it. */
  const current = async () => {
    const primary = await primaryOf(cluster.members[0] as Member)
    const [other] = cluster.members.filter((member) => member !== primary)
    return { primary, other: other as Member }
  }
  const hasOtherPrimary = async (witness: Member, before: Member) => {
    const primary = await primaryOf(witness)
    const [row] = await primary.run<{ isReadOnly: number }>('select @@super_read_only as isReadOnly')
    return primary !== before && row?.isReadOnly === 0
  }
  const expectAllOnline = (witness: Member) =>
    eventually(async () => (await witness.run<GroupMember>(GROUP)).map(({ state }) => state), {
      timeout: 180_000,
      interval: 500,
    }).toEqual(['ONLINE', 'ONLINE', 'ONLINE'])

  test('A planned switchover', async () => {
    const { primary, other } = await current()
    const next = (await other.run<GroupMember>(GROUP)).find(({ role }) => role === 'SECONDARY')
    await failOver({
      title: 'Group Replication, planned switchover',
      load,
      fail: () => other.run(`select group_replication_set_as_primary('${next?.id}')`),
      hasFailedOver: () => hasOtherPrimary(other, primary),
    })
  })

  test('The primary is killed', async () => {
    const { primary, other } = await current()
    await failOver({
      title: 'Group Replication, kill -9',
      load,
      fail: primary.kill,
      hasFailedOver: () => hasOtherPrimary(other, primary),
    })
    await primary.restart()
    await expectAllOnline(other)
  })

  test('The primary hangs, and continues after another member has replaced it', async () => {
    const { primary, other } = await current()
    await failOver({
      title: 'Group Replication, SIGSTOP',
      load,
      fail: primary.pause,
      hasFailedOver: () => hasOtherPrimary(other, primary),
    })
    await primary.resume()
    await expectAllOnline(other)
    await load.more()
  })

  test('Every acknowledged checkout is there once, and the audit passes', async () => {
    await load.expectTruth()
    for (const primaries of load.primaries()) expect(primaries.length).toBeGreaterThanOrEqual(4)
  })
})
