import { connect } from '@pointwise/db'
import { buildApp, createLogger } from '@pointwise/server'
import { CONFIG } from '../setup/configuration.ts'
import { listen } from './listening.ts'

const [url = '', ttl = '30'] = process.argv.slice(2)
const db = connect(url)
const config = { ...CONFIG, rankingsTtlSeconds: Number(ttl) }
const app = await buildApp({ db, config, logger: createLogger('error') })
await listen(app, () => db.destroy())
