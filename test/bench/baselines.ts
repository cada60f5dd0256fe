import { connect } from '@pointwise/db'
import { buildApp, createLogger } from '@pointwise/server'
import { createPool, type ResultSetHeader, type RowDataPacket } from 'mysql2/promise'
import { CONFIG } from '../setup/configuration.ts'
import { listen } from './listening.ts'
import { baselineRouter } from './textbook.ts'

/**
 * The baselines: the textbook transaction and a procedure that does nothing, over the server's own HTTP; and routes of Fastify
 * and mysql2 only, without tRPC, validation or tokens.
 */
const [url = ''] = process.argv.slice(2)
const db = connect(url, { connections: 16 })
const pool = createPool({ uri: url, connectionLimit: 16, timezone: 'Z' })
const app = await buildApp({ db, config: CONFIG, logger: createLogger('warn'), router: baselineRouter })

app.get('/bare', async () => ({ ok: true }))

const LISTED = `select p.id, p.store_id as storeId, s.name as storeName, p.name, p.price, k.stock,
  p.sales_volume as salesVolume, p.created_at as createdAt
  from products p join stores s on s.id = p.store_id join stock k on k.product_id = p.id
  where p.deleted_at is null order by p.id desc limit 20`
const COUNTED = 'select count(*) as totalItems from products where deleted_at is null'

// The statement that the server sends when the count is cached.
app.get('/bare/page', async () => ({ items: (await pool.query(LISTED))[0], totalItems: 1_000_000 }))

app.get('/bare/products', async () => {
  const [items] = await pool.query(LISTED)
  const [counted] = await pool.query<RowDataPacket[]>(COUNTED)
  return { items, totalItems: counted[0]?.totalItems }
})

app.register((scope, _options, registered) => {
  scope.removeAllContentTypeParsers()
  scope.addContentTypeParser('application/json', { parseAs: 'string' }, (_request, body, done) =>
    done(null, JSON.parse(String(body))),
  )
  scope.post<{ Body: { userId: number; orderId: number } }>('/bare/pay', ({ body }) => pay(body))
  registered()
})

/** The textbook payment without Kysely: nine statements between BEGIN and COMMIT. */
async function pay({ userId, orderId }: { userId: number; orderId: number }) {
  const connection = await pool.getConnection()
  const select = async (sql: string, values: unknown[]) => (await connection.query<RowDataPacket[]>(sql, values))[0]
  const update = async (sql: string, values: unknown[]) => {
    const [{ affectedRows }] = await connection.query<ResultSetHeader>(sql, values)
    if (affectedRows === 0) throw new Error('refused')
  }
  try {
    await connection.beginTransaction()
    const [order] = await select('select id, status, total_price from orders where id = ? and user_id = ? for update', [
      orderId,
      userId,
    ])
    if (order?.status !== 'pending') throw new Error('refused')
    const lines = await select('select product_id, count from order_products where order_id = ? order by product_id', [
      orderId,
    ])
    await update('update points set point = point - ? where user_id = ? and point >= ?', [
      order.total_price,
      userId,
      order.total_price,
    ])
    const [wallet] = await select('select id, point from points where user_id = ?', [userId])
    await update('insert into point_histories (point_id, point, balance, use_type, order_id) values (?, ?, ?, ?, ?)', [
      wallet?.id,
      -order.total_price,
      wallet?.point,
      'USE',
      orderId,
    ])
    for (const { product_id, count } of lines) {
      await update('update stock set stock = stock - ? where product_id = ? and stock >= ?', [count, product_id, count])
      await update('update products set sales_volume = sales_volume + ? where id = ?', [count, product_id])
    }
    await update('insert into payments (order_id, user_id, amount) values (?, ?, ?)', [
      orderId,
      userId,
      order.total_price,
    ])
    await update("update orders set status = 'paid', paid_at = now(3) where id = ?", [orderId])
    await connection.commit()
    return { orderId, balance: wallet?.point }
  } catch (error) {
    await connection.rollback()
    throw error
  } finally {
    connection.release()
  }
}

await listen(app, async () => {
  await pool.end()
  await db.destroy()
})
