import { expect, test } from 'vitest'
import { PACKET_BYTES_MIN } from '../../db/src/server-check.ts'
import { openFaultyShop } from '../faults/faulty-shop.ts'
import { item } from '../setup/shop.ts'

/** The most lines and requests of a batch. */
const LINES = 1_024
const REQUESTS = 256
/** A product's name has at most 200 characters of four bytes. */
const NAME_BYTES = 800

test('the server accepts the largest message of a batch with the most requests, lines and characters', async () => {
  await using faulty = await openFaultyShop()
  const { shop, proxy } = faulty
  const user = await shop.givenUser({ points: 1_000_000 })
  const products = await Promise.all(
    Array.from({ length: 50 }, (_, index) => shop.givenProduct({ price: 1, stock: 1_000_000, name: `n${index}` })),
  )
  const checkOut = async (lines: number) => {
    proxy.queries.length = 0
    await user.client.orders.checkout.mutate({ items: products.slice(0, lines).map((product) => item(product)) })
    return Math.max(...proxy.queries.map((statements) => Buffer.byteLength(statements.join(';\n'))))
  }
  const one = await checkOut(1)
  const most = await checkOut(50)
  // The names of this test have two or three bytes.
  const line = (most - one) / 49 + NAME_BYTES
  expect(LINES * line + REQUESTS * (one - line)).toBeLessThan(PACKET_BYTES_MIN)
})
