import { createClient, refusalOf, safe } from '@pointwise/client-sdk'

const shop = createClient({ url: 'http://127.0.0.1:3000', token: process.env.TOKEN })

const { items } = await shop.products.list.query()
const order = items.slice(0, 1).map(({ id, price }) => ({ productId: id, quantity: 1, price }))
const [bought, error] = await safe(shop.orders.checkout.mutate({ items: order }))
const refusal = refusalOf(error)

if (bought) console.log(`Paid ${bought.payment.amount} points, ${bought.balance} are left.`)
else if (refusal?.code === 'points_insufficient') console.log(`${refusal.required - refusal.balance} points short.`)
else throw error
