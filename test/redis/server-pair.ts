import { createClient, type PointsChange } from '@pointwise/client-sdk'
import { createCaller } from '@pointwise/server'
import { signUserToken } from '../setup/configuration.ts'
import { subscribe } from '../setup/subscriber.ts'
import { openSharedServers } from './shared-servers.ts'

/** Two servers, and a user who is subscribed to the second one and calls the first one. */
export async function openServerPair(redisUrl: string) {
  const shared = await openSharedServers({ redisUrl, name: 'wake_ups', count: 2 })
  const [one, other] = shared.servers
  if (!one || !other) throw new Error('Two servers are needed.')
  const { id } = await createCaller({ db: shared.db, admin: true }).users.create({ name: 'Ada' })
  const token = await signUserToken(id)
  const caller = createClient({ url: one.url, token })
  const points = await subscribe<PointsChange>((callbacks) =>
    createClient({ url: other.url, token }).points.onChange.subscribe(undefined, callbacks),
  )
  return Object.assign(shared, { one, other, caller, points })
}
