import { createClient, refusalOf, safe } from '@pointwise/client-sdk'

const client = createClient({ url: 'http://127.0.0.1:3000', token: process.env.TOKEN })

const { items } = await client.products.list.query()
const orderItems = items.slice(0, 1).map(({ id, price }) => ({ productId: id, quantity: 1, price }))
const [purchase, error] = await safe(client.orders.checkout.mutate({ items: orderItems }))
const refusal = refusalOf(error)

if (purchase) console.log(`Paid ${purchase.payment.amount} points, ${purchase.balance} are left.`)
else if (refusal?.code === 'points_insufficient') console.log(`${refusal.required - refusal.balance} points short.`)
else throw error
