import { expect, test } from 'vitest'
import { RankingSnapshot } from '../../server/src/products/ranking-snapshot.ts'

const STORE = { storeId: 1, storeName: 'Corner shop', stock: 1, salesVolume: 1, createdAt: new Date(0) }
const entry = (rank: number, id: number) => ({ rank, product: { ...STORE, id, name: `product ${id}`, price: 1 } })

/** A ranking whose offers are read when the test decides. */
function openSnapshot(isCurrent: boolean) {
  const reads: PromiseWithResolvers<{ id: number; name: string; price: number }[]>[] = []
  const readOffers = () => {
    const read = Promise.withResolvers<{ id: number; name: string; price: number }[]>()
    reads.push(read)
    return read.promise
  }
  const ranking = { items: [entry(1, 10), entry(2, 20)] }
  return { reads, snapshot: new RankingSnapshot(ranking, { isCurrent, readOffers }) }
}

const offer = (id: number, price: number) => ({ id, name: `product ${id}`, price })
const pricesOf = async (ranking: Promise<{ items: { rank: number; product: { price: number } }[] }>) =>
  (await ranking).items.map(({ rank, product }) => [rank, product.price])

test('the names and prices of a ranking of another server are read before it is used, once for all calls', async () => {
  const { reads, snapshot } = openSnapshot(false)
  const calls = [snapshot.current(), snapshot.current()]
  reads[0]?.resolve([offer(10, 5), offer(20, 6)])
  for (const call of calls) {
    expect(await pricesOf(call)).toEqual([
      [1, 5],
      [2, 6],
    ])
  }
  expect(reads).toHaveLength(1)
})

test('a change of another product causes no read', async () => {
  const { reads, snapshot } = openSnapshot(true)
  snapshot.changed(30)
  expect(await pricesOf(snapshot.current())).toEqual([
    [1, 1],
    [2, 1],
  ])
  expect(reads).toHaveLength(0)
})

test('a change while names and prices are read causes another read', async () => {
  const { reads, snapshot } = openSnapshot(true)
  snapshot.changed(10)
  const call = snapshot.current()
  snapshot.changed(20)
  reads[0]?.resolve([offer(10, 5), offer(20, 5)])
  await expect.poll(() => reads).toHaveLength(2)
  reads[1]?.resolve([offer(20, 6)])
  expect(await pricesOf(call)).toEqual([[1, 6]])
})

test('a failure to read them reaches the caller, and the next call reads them', async () => {
  const { reads, snapshot } = openSnapshot(true)
  snapshot.changed()
  const failed = snapshot.current()
  reads[0]?.reject(new Error('no connection'))
  await expect(failed).rejects.toThrow('no connection')
  const call = snapshot.current()
  reads[1]?.resolve([offer(10, 5), offer(20, 5)])
  expect(await pricesOf(call)).toEqual([
    [1, 5],
    [2, 5],
  ])
})
