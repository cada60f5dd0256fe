import { expect, test } from 'vitest'
import { decodeEvent } from '../../server/src/outbox/decode-event.ts'

const decode = (payload: string) =>
  decodeEvent({ id: 1, type: 'product.created', key: 'product:7', payload, at: new Date(0) })

const canonical = 'a payload of product.created with each field once and plain integers'

test.each([
  ['without spaces', '{"productId":7,"name":"Tea","price":400,"stock":2}', 'Tea'],
  ['with spaces', ' {"productId": 7,\n\t"name" : "Tea", "price":400, "stock":2}\r\n', 'Tea'],
  ['with spaces in a string', '{"productId":7,"name":" T e a ","price":400,"stock":2}', ' T e a '],
  ['with an escaped quotation mark', '{"productId":7,"name":"\\"Tea\\"","price":400,"stock":2}', '"Tea"'],
  ['with a backslash at the end of a string', '{"productId":7,"name":"Tea\\\\","price":400,"stock":2}', 'Tea\\'],
  [
    'with escapes that JSON.stringify does not write',
    '{"productId":7,"name":"\\u0054ea\\/","price":400,"stock":2}',
    'Tea/',
  ],
  ['with the text of a number in a string', '{"productId":7,"name":"4e2, 1.0","price":400,"stock":2}', '4e2, 1.0'],
  ['with an empty string', '{"productId":7,"name":"","price":400,"stock":2}', ''],
])('decodes a payload %s', (_, payload, name) => {
  expect(decode(payload).event?.payload).toEqual({ productId: 7, name, price: 400, stock: 2 })
})

test.each([
  ['a fraction that is whole', '{"productId":7,"name":"Tea","price":400.0,"stock":2}'],
  ['an exponent', '{"productId":7,"name":"Tea","price":4e2,"stock":2}'],
  ['a negative zero', '{"productId":7,"name":"Tea","price":400,"stock":-0}'],
  ['a fraction in the last field', '{"productId":7,"name":"\\"","price":400,"stock":2.0}'],
  ['a field twice', '{"productId":7,"name":"Tea","name":"Tea","price":400,"stock":2}'],
  ['a field twice at the end', '{"productId":7,"name":"Tea","price":400,"stock":2,"stock":2}'],
  ['a field twice that is written in two ways', '{"productId":7,"name":"Tea","price":400,"stock":2,"\\u0073tock":2}'],
])('rejects a payload with %s', (_, payload) => {
  expect(decode(payload).expected).toBe(canonical)
})
