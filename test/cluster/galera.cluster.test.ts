import { afterAll, beforeAll, describe, test } from 'vitest'
import { eventually } from '../setup/eventually.ts'
import { CheckoutLoad } from './checkout-load.ts'
import {
  type DatabaseCluster,
  galeraIsMissing,
  type Member,
  STARTS_WITHIN_MS,
  startGalera,
} from './database-cluster.ts'
import { failOver, portOf } from './failover.ts'

const STATUS =
  "select variable_name as name, variable_value as value from information_schema.global_status where variable_name in ('wsrep_ready', 'wsrep_cluster_size', 'wsrep_cluster_status')"

describe.skipIf(galeraIsMissing)(`Galera${galeraIsMissing ? ` (${galeraIsMissing})` : ''}`, () => {
  let cluster: DatabaseCluster
  let load: CheckoutLoad
  let [first, second] = [] as unknown as [Member, Member]
  beforeAll(async () => {
    cluster = await startGalera()
    ;[first, second] = cluster.members as [Member, Member]
    load = await CheckoutLoad.start(cluster.url('shop'))
  }, STARTS_WITHIN_MS)
  afterAll(async () => {
    try {
      await load?.[Symbol.asyncDispose]()
    } finally {
      await cluster?.[Symbol.asyncDispose]()
    }
  })

  /** Whether a node serves in a cluster of so many. */
  const serves = async (member: Member, size: number) => {
    const rows = await member.run<{ name: string; value: string }>(STATUS)
    const status = Object.fromEntries(rows.map(({ name, value }) => [name.toLowerCase(), value]))
    return (
      status.wsrep_ready === 'ON' &&
      status.wsrep_cluster_status === 'Primary' &&
      status.wsrep_cluster_size === String(size)
    )
  }
  /** All servers write to one node. */
  const expectWriter = (member: Member) =>
    eventually(() => load.primaries().map((primaries) => primaries.at(-1)), { timeout: 180_000 }).toEqual(
      Array(3).fill(portOf(member)),
    )

  test('A node that is set read-only is replaced by the next one, and used again afterwards', async () => {
    await failOver({
      title: 'Galera, planned switchover',
      load,
      fail: () => first.run('set global read_only = on'),
      hasFailedOver: async () => true,
    })
    await expectWriter(second)
    await first.run('set global read_only = off')
    await expectWriter(first)
    await load.more()
  })

  test('The first node is killed, and used again when it has joined the cluster', async () => {
    await failOver({ title: 'Galera, kill -9', load, fail: first.kill, hasFailedOver: () => serves(second, 2) })
    await expectWriter(second)
    await first.restart()
    await expectWriter(first)
    await load.more()
  })

  test('The first node hangs, and is used again when it has joined the cluster', async () => {
    await failOver({ title: 'Galera, SIGSTOP', load, fail: first.pause, hasFailedOver: () => serves(second, 2) })
    await expectWriter(second)
    await first.resume()
    await expectWriter(first)
    await load.more()
  })

  test('Every acknowledged checkout is there once, and the audit passes', () => load.expectTruth())

  test('Servers that write to two nodes at once lose and double nothing', async () => {
    const hosts = cluster.members.map(({ url }) => `${url}/two`)
    await using both = await CheckoutLoad.start(`${second.url}/two`, (server) => hosts[server % 2] ?? '')
    await both.more(300)
    await both.expectTruth()
    process.stdout.write(`Galera, two writers: ${JSON.stringify(both.takeFindings())}\n`)
  })
})
