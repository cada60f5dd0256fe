import type { CheckName } from '@pointwise/server'
import type { BusyShop } from './busy-shop.ts'

/** A change to the tables that no procedure makes. */
export interface PlantedCorruption {
  name: string
  /** SQL statements. `events`, `orders` and the other tables have no constraints. */
  plant: (shop: BusyShop) => string | string[]
  /** The checks that must report it, each with the ids that the finding must name. */
  found: (shop: BusyShop) => Partial<Record<CheckName, Record<string, unknown>>>
}

export const set = (field: string, value: string | number) => `payload = json_set(payload, '$.${field}', ${value})`
export const updateEvent = (id: number, change: string) => `update events set ${change} where id = ${id}`
export const duplicateEvent = (id: number) =>
  `insert into events (type, \`key\`, payload, created_at) select type, \`key\`, payload, created_at from events where id = ${id}`
export const deleteEvent = (id: number) => `delete from events where id = ${id}`
/** Exchanges the ids of two rows. */
export const swap = (table: string, a: number, b: number) => [
  `update ${table} set id = -1 where id = ${a}`,
  `update ${table} set id = ${a} where id = ${b}`,
  `update ${table} set id = ${b} where id = -1`,
]
export type IdOf = (shop: BusyShop) => number
/** The events that the corruptions change. */
export const ids = {
  charge: ({ chargeEvent }) => chargeEvent(2),
  paid: ({ event, orders }) => event('order.paid', orders.bens),
  refunded: ({ event, orders }) => event('order.refunded', orders.refunded),
  placed: ({ event, orders }) => event('order.placed', orders.pending),
  cancelled: ({ event, orders }) => event('order.cancelled', orders.cancelled),
  created: ({ event, products }) => event('product.created', products.cup),
  changed: ({ event, products }) => event('product.changed', products.mug),
  changedEarlier: ({ event, products }) => event('product.changed', products.tea),
  removed: ({ event, products }) => event('product.removed', products.lamp),
  restocked: ({ event, products }) => event('product.restocked', products.tea),
} satisfies Record<string, IdOf>
