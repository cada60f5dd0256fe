import { type ConnectOptions, createDatabase, type Pool } from '@pointwise/db'
import { describe, expect, test } from 'vitest'
import { eventually } from '../setup/eventually.ts'
import type { FaultProxy } from '../setup/fault-proxy.ts'
import { insertUser, names, open, probes, WATCHED } from './open-hosts.ts'

/** Calls fail because several hosts take writes. */
const refused = (db: Pool) =>
  eventually(() => names(db).then(String, ({ cause }: Error) => String(cause)), { timeout: 30_000 }).toMatch(
    /^NoPrimaryError: Several hosts/,
  )

test('the pool reports once that it finds no primary, and that it has found one again', async () => {
  const { db, hosts, primaries } = await open({ ...WATCHED, acquireTimeoutMs: 500 })
  for (let outage = 1; outage <= 2; outage++) {
    hosts[0].setReadOnly(true)
    for (let calls = 0; calls < 2; calls++)
      await eventually(() => names(db).then(String, String)).toMatch(/ConnectError/)
    hosts[0].setReadOnly(false)
    await eventually(() => names(db).catch(String)).toEqual([])
    expect(primaries).toEqual([-1, 0, -1, 0].slice(0, 2 * outage))
  }
})

describe('when several hosts take writes, none of them is used, because their data may differ:', () => {
  test('by a search', async () => {
    const { url, hosts } = await open()
    hosts[2].setReadOnly(false)
    const waiting = createDatabase(url)
    // Each host was asked again and again, and the search goes on.
    await eventually(() => Math.min(...hosts.map(probes))).toBeGreaterThan(3)
    hosts[0].setReadOnly(true)
    await waiting
  })

  test('by a pool that has used one of them before', async () => {
    const { db, hosts, primaries } = await open({ ...WATCHED, acquireTimeoutMs: 1_000 })
    await eventually(() => names(db).catch(String)).toEqual([])
    hosts[1].setReadOnly(false)
    await refused(db)
    hosts[0].setReadOnly(true)
    await eventually(() => names(db).catch(String)).toEqual([])
    expect(primaries.slice(-2)).toEqual([-1, 1])
  })

  test('by a pool that had closed its connections', async () => {
    const { db, hosts } = await open({ acquireTimeoutMs: 1_000, closeAfterIdleMs: 1 })
    await eventually(() => names(db).catch(String)).toEqual([])
    hosts[1].setReadOnly(false)
    await refused(db)
  })
})

describe('a primary that was replaced while it did not respond, and takes writes again,', () => {
  async function replaced(options: ConnectOptions = {}) {
    const opened = await open({ ...WATCHED, ...options })
    const { db, hosts } = opened
    await insertUser(db, 'Ada')
    hosts[0].disable()
    hosts[1].setReadOnly(false)
    await insertUser(db, 'Ben')
    return opened
  }
  /** Every host was asked since, by a check that has ended. */
  const checked = async (host: FaultProxy) => {
    const before = probes(host)
    await eventually(() => probes(host)).toBeGreaterThan(before + 1)
  }

  test('is not used, and does not disturb the one that replaced it', async () => {
    const { db, hosts, primaries } = await replaced()
    hosts[0].enable()
    await checked(hosts[0])
    // The search after a lost connection.
    hosts[1].inject('disconnect before', /^insert/)
    await insertUser(db, 'Cleo')
    expect(primaries).toEqual([0, 1])
  })

  test('is used if no other one takes writes', async () => {
    const { db, hosts, primaries } = await replaced()
    hosts[0].enable()
    hosts[1].disable()
    await insertUser(db, 'Cleo')
    expect(primaries).toEqual([0, 1, 0])
  })

  test('counts like any other one after it was a replica', async () => {
    const { db, hosts } = await replaced({ acquireTimeoutMs: 1_500 })
    hosts[0].setReadOnly(true)
    hosts[0].enable()
    await checked(hosts[0])
    expect(await names(db)).toEqual(['Ada', 'Ben'])
    hosts[0].setReadOnly(false)
    await refused(db)
  })
})
