import { ids, type PlantedCorruption, set, updateEvent } from './planted-corruption.ts'

/** An event whose payload lacks a field, has another one, or has a value of another JSON type. */
export const payloads: PlantedCorruption[] = (
  [
    ['order.paid without its balance', 'paid', `payload = json_remove(payload, '$.balance')`],
    ['order.paid with a null balance', 'paid', set('balance', 'null')],
    ['order.paid with an amount that is text', 'paid', set('amount', `'400abc'`)],
    ['order.paid with an amount that is numeric text', 'paid', set('amount', `'240'`)],
    ['order.paid with an amount that is a boolean', 'paid', set('amount', `json_extract('[true]', '$[0]')`)],
    ['order.paid with an amount that is a fraction', 'paid', set('amount', '240.5')],
    [
      'order.paid with an amount that is written as a fraction',
      'paid',
      // With another column: MySQL does not write a row whose documents are equal, and 220.0 equals 220.
      `payload = json_set(payload, '$.amount', json_extract('[220.0]', '$[0]')), published_at = created_at`,
    ],
    ['order.paid with an amount that is a list', 'paid', set('amount', 'json_array(220)')],
    [
      'order.paid with totalPrice instead of amount',
      'paid',
      `payload = json_remove(json_set(payload, '$.totalPrice', 220), '$.amount')`,
    ],
    ['order.paid with a field too many', 'paid', set('note', `'x'`)],
    ['order.paid without items', 'paid', `payload = json_remove(payload, '$.items')`],
    ['order.paid with no items', 'paid', set('items', 'json_array()')],
    ['order.paid with items that are an object', 'paid', set('items', 'json_object()')],
    ['order.paid whose item has no stock', 'paid', `payload = json_remove(payload, '$.items[0].stock')`],
    ['order.paid whose item has a null stock', 'paid', set('items[0].stock', 'null')],
    ['order.paid whose item has a stock that is text', 'paid', set('items[0].stock', `'22'`)],
    ['order.paid whose item has a field too many', 'paid', set('items[0].name', `'Tea'`)],
    ['order.paid whose item has no quantity', 'paid', `payload = json_remove(payload, '$.items[0].quantity')`],
    ['order.paid with a null user', 'paid', set('userId', 'null')],
    ['order.paid with a wrong key', 'paid', "`key` = 'user:999999999'"],
    ['order.paid with the key of a product', 'paid', "`key` = 'product:1'"],
    ['order.paid with an empty key', 'paid', "`key` = ''"],
    ['order.paid with a payload that is null', 'paid', "payload = 'null'"],
    ['order.paid with a payload that is a list', 'paid', "payload = '[]'"],
    ['order.paid with an empty payload', 'paid', "payload = '{}'"],
    ['order.paid with a negative balance', 'paid', set('balance', -1)],
    ['order.paid with an order id beyond all numbers', 'paid', set('orderId', '9007199254740993')],
    ['an event of an unknown type', 'paid', "type = 'order.lost'"],
    ['a type in capital letters', 'paid', "type = 'ORDER.PAID'"],
    ['a type of an object method', 'paid', "type = 'constructor'"],
    ['product.created without a price', 'created', `payload = json_remove(payload, '$.price')`],
    ['product.created with a name that is a number', 'created', set('name', 7)],
    ['product.created with the key of a user', 'created', "`key` = 'user:1'"],
    [
      'product.restocked with quantity instead of change',
      'restocked',
      `payload = json_remove(json_set(payload, '$.quantity', 5), '$.change')`,
    ],
    ['product.restocked with a fraction', 'restocked', set('change', '4.5')],
  ] satisfies [string, keyof typeof ids, string][]
).map(([name, kind, change]) => ({
  name,
  plant: (shop) => updateEvent(ids[kind](shop), change),
  found: (shop) => ({ events: { id: ids[kind](shop) } }),
}))
