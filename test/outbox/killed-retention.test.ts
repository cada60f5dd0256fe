import { connect } from '@pointwise/db'
import { describe, expect, onTestFinished, test } from 'vitest'
import { deleteExpiredEvents } from '../../server/src/outbox/retention.ts'
import { emptyDatabase } from '../setup/database.ts'
import { type Fault, faultProxy } from '../setup/fault-proxy.ts'
import { eventIds, insertEventsOfAges, moveRelay, readHorizon, removeRelays } from './retained-outbox.ts'

describe('Retention whose process or connection ends', () => {
  const statements = {
    begin: /^begin/,
    lock: / for update$/,
    read: /^select .* like /,
    delete: /^delete/,
    commit: /^commit$/,
  }
  const faults: Fault[] = ['disable before', 'disable after']
  const cases = Object.entries(statements).flatMap(([name, filter]) => faults.map((fault) => ({ name, filter, fault })))

  test.each(cases)('at “$name” ($fault) leaves no event below the horizon, and the next call continues', async (at) => {
    const { url, db } = await emptyDatabase()
    const proxy = await faultProxy(url)
    const proxied = connect(proxy.url)
    onTestFinished(async () => {
      await proxied.destroy()
      await proxy.close()
      await removeRelays(db)
      await db.destroy()
    })
    const retain = () => deleteExpiredEvents(proxied, { retentionDays: 7, limit: 2 })
    await insertEventsOfAges(db, Array(6).fill(8 * 24))
    const ids = await eventIds(db)
    await moveRelay(db, 'kafka:pointwise.events', ids.at(-1) ?? 0)
    // The first transaction, which deletes two events, is committed.
    let seen = 0
    proxy.inject(at.fault, (statement) => at.filter.test(statement) && ++seen === 2)
    await expect(retain()).rejects.toThrow()
    expect(seen).toBe(2)

    const [left, horizon] = [await eventIds(db), await readHorizon(db)]
    const isCommitted = at.name === 'commit' && at.fault === 'disable after'
    expect(left).toEqual(ids.slice(isCommitted ? 4 : 2))
    expect(horizon).toBe(ids[isCommitted ? 3 : 1])

    proxy.enable()
    expect(await retain()).toBe(left.length - 1)
    expect([await eventIds(db), await readHorizon(db)]).toEqual([ids.slice(-1), ids.at(-2)])
  })
})
