import { readFile } from 'node:fs/promises'
import { createClient, type Refusal, refusalOf, safe } from '@pointwise/client-sdk'

const CHARGE = 10_000

const file = process.argv[2] ?? '.pointwise/server.json'
const server = await readFile(file, 'utf8').then(JSON.parse, () => null)
if (!server) {
  console.error(`There is no ${file}: start the server first, with npm start.`)
  process.exit(1)
}
const client = createClient({ url: server.url, token: server.userToken })

const { items: products, totalItems } = await client.products.list.query()
const byPrice = products.toSorted((a, b) => a.price - b.price)
const [cheap, dear] = [byPrice.find(({ stock }) => stock >= 2), byPrice.at(-1)]
if (!cheap || !dear) throw new Error('Nothing on the first page is left in stock.')
console.log(`${totalItems} products; ${cheap.name} costs ${cheap.price}, ${cheap.stock} left.`)

const wallet = await client.points.balance.query()
if (wallet.balance + CHARGE <= wallet.limit) {
  const { balance } = await client.points.charge.mutate({ amount: CHARGE })
  console.log(`Charged ${CHARGE} points: the balance is ${balance}.`)
}

const one = { productId: cheap.id, quantity: 1, price: cheap.price }
const bought = await client.orders.checkout.mutate({ items: [one] })
console.log(`Checked out order ${bought.order.id} for ${bought.payment.amount}: the balance is ${bought.balance}.`)

const placed = await client.orders.place.mutate({ items: [one] })
const { balance } = await client.payments.pay.mutate({ orderId: placed.id })
console.log(`Placed order ${placed.id}, then paid it: the balance is ${balance}.`)

const tooMany = {
  productId: dear.id,
  quantity: Math.min(1_000, Math.floor(balance / dear.price) + 1),
  price: dear.price,
}
for (const item of [tooMany, { ...one, price: one.price + 1 }]) {
  const [, error] = await safe(client.orders.checkout.mutate({ items: [item] }))
  const refusal = refusalOf(error)
  if (!refusal) throw error ?? new Error('An order that had to be refused was paid.')
  console.log(`Refused: ${inWords(refusal)}.`)
}

const { items: history } = await client.points.histories.query({ limit: 3 })
for (const { type, amount, balance } of history) console.log(`${type.padEnd(6)} ${amount}, balance ${balance}`)

function inWords(refusal: Refusal): string {
  switch (refusal.code) {
    case 'points_insufficient':
      return `${refusal.required} points are needed, and there are ${refusal.balance}`
    case 'price_changed':
      return `the price is ${refusal.actual}, not ${refusal.expected}`
    default:
      return refusal.code
  }
}
