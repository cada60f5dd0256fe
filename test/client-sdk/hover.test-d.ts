/*
 * A consumer's program. Each comment with a caret contains the quick info that TypeScript shows at the position of the caret
 * in the line above. package.long.test.ts compares it with what the compiler returns.
 */
import { createClient, refusalOf, safe } from '@pointwise/client-sdk'
import { parseEvent } from '@pointwise/client-sdk/events'

const client = createClient({ url: 'https://shop.example' })

const product = await client.products.get.query({ productId: 1 })
//    ^ const product: { id: number; storeId: number; storeName: string; name: string; price: number; stock: number; salesVolume: number; createdAt: Date; }

const charged = await client.points.charge.mutate({ amount: 1 })
//    ^ const charged: { historyId: number; amount: number; balance: number; replayed: boolean; }

const [, error] = await safe(client.products.get.query({ productId: 1 }))
const refusal = refusalOf(error)
//    ^ const refusal: { afterMs: number; code: "rate_limited"; retry: "same-key"; } | { afterMs: number; code: "service_busy"; retry: "same-key"; } | { code: "product_not_found"; productId: number; retry: "never"; } | null

void client.points.charge.mutate({ amount: 1 })
//                        ^ (property) mutate: (input: { amount: number; idempotencyKey?: string | undefined; }, opts?: TRPCProcedureOptions) => TRPCTaggedPromise<{ historyId: number; amount: number; balance: number; replayed: boolean; }, …

void client.stores.list.query()
//                      ^ (property) query: (input: void, opts?: TRPCProcedureOptions) => TRPCTaggedPromise<{ id: number; name: string; }[], …

void client.orders.list.query()
//                      ^ (property) query: (input: void | { status?: "cancelled" | "paid" | "pending" | "refunded" | undefined; cursor?: string | undefined; limit?: number | undefined; } | undefined, opts?: TRPCProcedureOptions) => TRPCTaggedPromise<{ items: { id: number; status: "cancelled" | "paid" | "pending" | "refunded"; items: { productId: number; productName: string; price: number; quantity: number; amount: number; }[]; totalPrice: number; createdAt: Date; paidAt: Date | null; }[]; nextCursor: string | null; }, …

for await (const change of client.points.onChange.subscribe()) void change
//               ^ const change: { id: string; data: { type: "charged" | "paid" | "refunded"; amount: number; balance: number; orderId: number | null; at: Date; }; }

const event = parseEvent({ key: 'user:7', value: '{}', headers: {} })
//    ^ const event: ShopEvent

const type = event.type
//    ^ const type: "points.charged" | "order.placed" | "order.paid" | "order.refunded" | "order.cancelled" | "product.created" | "product.changed" | "product.removed" | "product.restocked"

if (event.type === 'order.placed') void event.payload
//                                            ^ (property) payload: { userId: number; orderId: number; totalPrice: number; }

void [product, charged, refusal, type]
