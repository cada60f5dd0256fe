// Runs in a folder where only the package is installed: node package-consumer.mjs <url> <token> <productId>
import { createClient, refusalOf, safe } from '@pointwise/client-sdk'

const [url, token, id] = process.argv.slice(2)
const client = createClient({ url, token })
const { id: productId, price } = await client.products.get.query({ productId: Number(id) })

const order = { items: [{ productId, quantity: 2, price }], idempotencyKey: crypto.randomUUID() }
const { payment, balance } = await client.orders.checkout.mutate(order)
const { replayed } = await client.orders.checkout.mutate(order)
const { stock: left } = await client.products.get.query({ productId })
const [, error] = await safe(client.orders.checkout.mutate({ items: [{ productId, quantity: 4, price }] }))

process.stdout.write(JSON.stringify({ paid: payment.amount, balance, replayed, left, refused: refusalOf(error) }))
