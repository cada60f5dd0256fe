import { connect } from '@pointwise/db'
import { buildApp, createLogger } from '@pointwise/server'
import { createRelay } from '../../server/src/relay/create-relay.ts'
import { CONFIG } from '../setup/configuration.ts'
import { listen } from './listening.ts'

/** A server. With a topic and brokers, its process also runs the relay, as `main.ts` does. */
const [url = '', ttl = '30', topic = '', ...brokers] = process.argv.slice(2)
const db = connect(url)
const config = { ...CONFIG, rankingsTtlSeconds: Number(ttl) }
const logger = createLogger('error')
const app = await buildApp({ db, config, logger })
const relay = topic ? createRelay({ databaseUrl: url, kafka: { brokers, topic, retentionDays: 0 }, logger }) : undefined
relay?.relay.start()
await listen(app, async () => {
  await relay?.close()
  await db.destroy()
})
