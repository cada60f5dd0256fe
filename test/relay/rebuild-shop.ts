import { EventDeduplicator, parseEvent, type ShopEvent } from '@pointwise/client-sdk/events'
import type { Pool } from '@pointwise/db'
import { expect } from 'vitest'
import { run } from '../setup/database.ts'
import { outboxOf } from './outbox-rows.ts'
import { firstOccurrences, partitionsOf, type TopicRecord } from './topic-reader.ts'

/** A copy of every balance and every stock, which a consumer of the topic keeps. */
export class ShopCopy {
  readonly balances = new Map<number, number>()
  readonly stocks = new Map<number, number>()

  apply(event: ShopEvent): void {
    switch (event.type) {
      case 'points.charged':
        this.#changeBalance(event, event.payload.amount)
        break
      case 'order.paid':
        this.#changeBalance(event, -event.payload.amount)
        for (const { productId, quantity } of event.payload.items) this.#changeStock(productId, -quantity)
        break
      case 'order.refunded':
        this.#changeBalance(event, event.payload.amount)
        for (const { productId, quantity } of event.payload.items) this.#changeStock(productId, quantity)
        break
      case 'product.created':
        this.#changeStock(event.payload.productId, event.payload.stock)
        break
      case 'product.restocked':
        this.#changeStock(event.payload.productId, event.payload.change)
        break
    }
  }

  /** The events of a user are in one partition, so each continues from the balance after the one before. */
  #changeBalance({ id, payload }: { id: number; payload: { userId: number; balance: number } }, change: number): void {
    const { userId, balance } = payload
    const expected = (this.balances.get(userId) ?? 0) + change
    if (balance !== expected)
      throw new Error(`Event ${id} of user ${userId}: balance ${balance}, expected ${expected}.`)
    this.balances.set(userId, balance)
  }

  /** The events that change one stock are in several partitions, so they arrive in any order. */
  #changeStock(productId: number, change: number): void {
    this.stocks.set(productId, (this.stocks.get(productId) ?? 0) + change)
  }
}

/**
 * Asserts that the topic contains every event of the outbox and no other, that the events of a key are in one partition, that
 * the first occurrences ascend in each partition, and that a consumer that handles each event once knows every balance and
 * every stock.
 */
export async function expectCompleteTopic(db: Pool, records: readonly TopicRecord[]): Promise<void> {
  await expectPublishedRows(db, records)
  const partitionByKey = new Map<string, number>()
  for (const { key, partition } of records) {
    if (!partitionByKey.has(key)) partitionByKey.set(key, partition)
    if (partitionByKey.get(key) !== partition) expect.fail(`${key} is in more than one partition.`)
  }
  const copy = new ShopCopy()
  for (const partition of partitionsOf(records)) {
    const ids = firstOccurrences(partition.map(({ id }) => id))
    expect(ids).toEqual(ids.toSorted((a, b) => a - b))
    const deduplicator = new EventDeduplicator()
    let handled = 0
    for (const record of partition) {
      if (await deduplicator.handleOnce(parseEvent(record), (event) => copy.apply(event))) handled++
    }
    expect(handled).toBe(ids.length)
  }
  expect(rowsOf(copy.balances)).toEqual(await run(db, 'select user_id as id, point as value from points order by id'))
  expect(rowsOf(copy.stocks)).toEqual(await run(db, 'select product_id as id, stock as value from stock order by id'))
}

async function expectPublishedRows(db: Pool, records: readonly TopicRecord[]): Promise<void> {
  const rows = await outboxOf(db)
  const unpublished = new Set(rows.map(({ id }) => id))
  const byId = new Map(rows.map((row) => [row.id, row]))
  const unknown = records.filter(({ id, key, value, headers }) => {
    unpublished.delete(id)
    const row = byId.get(id)
    const isPublished = row?.key === key && row.payload === value && row.type === headers.ce_type
    return !isPublished || row.at.toISOString() !== headers.ce_time
  })
  expect({ unpublished: [...unpublished], unknown }).toEqual({ unpublished: [], unknown: [] })
}

const rowsOf = (map: Map<number, number>) => [...map].map(([id, value]) => ({ id, value })).sort((a, b) => a.id - b.id)
