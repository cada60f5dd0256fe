import { createClient } from '@pointwise/client-sdk'
import { connect, createDatabase } from '@pointwise/db'
import { expect, onTestFinished, test } from 'vitest'
import { runAuditCommand } from '../audit/audit-command.ts'
import { signToken } from '../setup/configuration.ts'
import { databaseUrl, run } from '../setup/database.ts'
import { eventually } from '../setup/eventually.ts'
import { ServerProcess } from '../setup/server-process.ts'
import { openSeveralHosts } from '../setup/several-hosts.ts'
import { env } from './standalone-server.ts'

test('A server, its readiness, its migrations and the audit use the host that takes writes, and follow it', async () => {
  const url = databaseUrl('several_hosts')
  await createDatabase(url)
  const direct = connect(url)
  await run(direct, `drop database ${new URL(url).pathname.slice(1)}`)
  await direct.destroy()
  await using several = await openSeveralHosts(url, 2)
  const [first, second] = several.hosts
  first?.setReadOnly(true)
  second?.setReadOnly(false)
  const variables = { ...env, DATABASE_URL: several.url, KAFKA_BROKERS: '127.0.0.1:1' }
  await using server = new ServerProcess(variables)
  const address = await server.url()
  const primaries = () =>
    [...server.stdout.matchAll(/"primary":\{"host":"127.0.0.1","port":(\d+)\}/g)].map(([, port]) => port)
  const portOf = (host: typeof first) => new URL(host?.url ?? '').port
  expect(primaries()).toEqual([portOf(second)])

  const admin = createClient({ url: address, token: await signToken({ sub: 'admin', role: 'admin' }) })
  await admin.stores.create.mutate({ name: 'Corner' })
  second?.disable()
  first?.setReadOnly(false)
  await admin.stores.create.mutate({ name: 'Market' })
  expect(primaries()).toEqual([portOf(second), portOf(first)])
  await eventually(async () => (await fetch(`${address}/readyz`)).status).toBe(200)
  expect((await runAuditCommand({ DATABASE_URL: several.url })).code).toBe(0)
  // Without its publisher, the relay holds its lease on the new primary.
  const lease =
    "select owner from outbox_cursors where name = 'kafka:pointwise.events' and lease_expires_at > utc_timestamp(3)"
  const written = connect(url)
  onTestFinished(() => written.destroy())
  await eventually(() => run(written, lease)).toHaveLength(1)
  expect(await run(written, 'select name from stores')).toHaveLength(2)
})
