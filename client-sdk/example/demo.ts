/* Shops on the server that `npm start` started: `npm run demo`, or `node demo.ts <path of server.json>`. */
import { readFile } from 'node:fs/promises'
import { createClient, type Refusal, refusalOf, safe } from '@pointwise/client-sdk'

const CHARGE = 10_000

const serverFile = process.argv[2] ?? '.pointwise/server.json'
const server = await readFile(serverFile, 'utf8').then(JSON.parse, () => null)
if (!server) {
  console.error(`The file ${serverFile} does not exist or cannot be read. Start the server first: npm start`)
  process.exit(1)
}
const client = createClient({ url: server.url, token: server.userToken })

const { items: products, totalItems } = await client.products.list.query()
const byPrice = products.toSorted((a, b) => a.price - b.price)
const cheapest = byPrice.find(({ stock }) => stock >= 2)
const mostExpensive = byPrice.at(-1)
if (!cheapest || !mostExpensive)
  throw new Error('No product on the first page has two pieces in stock. Restart the server.')
console.log(`${totalItems} products; ${cheapest.name} costs ${cheapest.price}, ${cheapest.stock} left.`)

const wallet = await client.points.balance.query()
if (wallet.balance + CHARGE <= wallet.limit) {
  const { balance } = await client.points.charge.mutate({ amount: CHARGE })
  console.log(`Charged ${CHARGE} points: the balance is ${balance}.`)
}

const item = { productId: cheapest.id, quantity: 1, price: cheapest.price }
const checkout = await client.orders.checkout.mutate({ items: [item] })
console.log(
  `Checked out order ${checkout.order.id} for ${checkout.payment.amount}: the balance is ${checkout.balance}.`,
)

const order = await client.orders.place.mutate({ items: [item] })
const { balance } = await client.payments.pay.mutate({ orderId: order.id })
console.log(`Placed order ${order.id}, then paid it: the balance is ${balance}.`)

const unaffordable = {
  productId: mostExpensive.id,
  quantity: Math.min(1_000, Math.floor(balance / mostExpensive.price) + 1),
  price: mostExpensive.price,
}
const wrongPrice = { ...item, price: item.price + 1 }
for (const refusedItem of [unaffordable, wrongPrice]) {
  const [, error] = await safe(client.orders.checkout.mutate({ items: [refusedItem] }))
  const refusal = refusalOf(error)
  if (!refusal) throw error ?? new Error('The server paid an order that it should have refused.')
  console.log(`Refused: ${describe(refusal)}.`)
}

const { items: history } = await client.points.histories.query({ limit: 3 })
for (const { type, amount, balance } of history) console.log(`${type.padEnd(6)} ${amount}, balance ${balance}`)

function describe(refusal: Refusal): string {
  switch (refusal.code) {
    case 'points_insufficient':
      return `the order costs ${refusal.required} points, and the balance is ${refusal.balance}`
    case 'price_changed':
      return `the price is ${refusal.actual}, not ${refusal.expected}`
    default:
      return refusal.code
  }
}
