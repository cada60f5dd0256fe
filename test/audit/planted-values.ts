import type { CheckName } from '@pointwise/server'
import type { BusyShop } from './busy-shop.ts'
import { type IdOf, ids, type PlantedCorruption, set, updateEvent } from './planted-corruption.ts'

const exchangeItems = `payload = json_set(payload, '$.items',
  json_array(json_extract(payload, '$.items[1]'), json_extract(payload, '$.items[0]')))`
const repeatItem = `payload = json_array_append(payload, '$.items', json_extract(payload, '$.items[1]'))`
const otherProduct = (id: number) => `payload = json_set(payload, '$.productId', ${id}), \`key\` = 'product:${id}'`

/** An event with one wrong value of the correct type. Where a finding names another row, it is given. */
export const values: PlantedCorruption[] = (
  [
    ['points.charged with a wrong balance', 'charge', set('balance', 851), 'sequence'],
    ['points.charged with a wrong amount', 'charge', set('amount', 301), 'events'],
    ['order.paid with a wrong balance', 'paid', set('balance', 281), 'sequence'],
    ['order.paid with a wrong stock of the first item', 'paid', set('items[0].stock', 3), 'sequence'],
    ['order.paid with a wrong stock of the last item', 'paid', set('items[1].stock', 4), 'sequence'],
    ['order.paid with a wrong quantity', 'paid', set('items[1].quantity', 1), 'events'],
    ['order.paid with another product', 'paid', ({ products }) => set('items[1].productId', products.mug), 'events'],
    ['order.paid with its items in another order', 'paid', exchangeItems, 'events'],
    ['order.paid with an item twice', 'paid', repeatItem, 'events'],
    ['order.paid of another type', 'paid', "type = 'order.refunded'", 'events'],
    ['order.refunded with a wrong stock', 'refunded', set('items[0].stock', 1), 'sequence'],
    ['order.refunded with a wrong balance', 'refunded', set('balance', 1), 'sequence'],
    ['order.placed with a wrong total', 'placed', set('totalPrice', 341), 'events'],
    ['order.placed of another order', 'placed', ({ orders }) => set('orderId', orders.cancelled), 'events'],
    ['order.cancelled of a pending order', 'cancelled', ({ orders }) => set('orderId', orders.pending), 'events'],
    ['product.created with a wrong stock', 'created', set('stock', 6), 'events'],
    ['product.created with a wrong price', 'created', set('price', 51), 'states', ({ products }) => products.cup],
    ['product.created with a wrong name', 'created', set('name', `'Cap'`), 'states', ({ products }) => products.cup],
    ['product.created of a missing product', 'created', otherProduct(999_999_999), 'events'],
    ['product.changed with a wrong price', 'changed', set('price', 261), 'states', ({ products }) => products.mug],
    ['product.changed with a wrong name', 'changed', set('name', `'Mog'`), 'states', ({ products }) => products.mug],
    ['product.changed with a wrong stock', 'changed', set('stock', 9), 'sequence'],
    ['product.removed with a wrong price', 'removed', set('price', 301), 'sequence'],
    ['product.removed with a wrong name', 'removed', set('name', `'Lump'`), 'sequence'],
    ['product.removed with a wrong stock', 'removed', set('stock', 2), 'sequence'],
    ['product.removed of a product for sale', 'removed', ({ products }) => otherProduct(products.cup), 'events'],
    ['product.restocked with a wrong change', 'restocked', set('change', 6), 'events'],
    ['product.restocked with a wrong stock', 'restocked', set('stock', 24), 'sequence'],
  ] satisfies [string, keyof typeof ids, string | ((shop: BusyShop) => string), CheckName, IdOf?][]
).map(([name, kind, change, check, named = ids[kind]]) => ({
  name,
  plant: (shop) => updateEvent(ids[kind](shop), typeof change === 'string' ? change : change(shop)),
  found: (shop) => ({ [check]: { id: named(shop) } }),
}))
