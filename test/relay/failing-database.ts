import { databaseProgram, startKillableDatabase } from '../faults/killable-database.ts'
import { freshDatabase } from '../setup/database.ts'
import { faultProxy } from '../setup/fault-proxy.ts'

export interface FailingDatabase extends AsyncDisposable {
  url: string
  /** Ends every connection at once and refuses new ones. */
  fail: () => Promise<void>
  /** Accepts connections again. */
  recover: () => Promise<void>
}

/**
 * An empty database that can fail: a server of its own that is killed, or, in a container, the server of this run, whose
 * connections are cut.
 */
export async function startFailingDatabase(name: string): Promise<FailingDatabase> {
  const program = process.env.POINTWISE_DATABASE === 'docker' ? undefined : await databaseProgram()
  if (program) {
    const database = await startKillableDatabase(program, `pointwise_${name}`)
    return { ...database, fail: database.kill, recover: database.start }
  }
  const { db, url } = await freshDatabase(name)
  await db.destroy()
  const proxy = await faultProxy(url)
  return {
    url: proxy.url,
    fail: async () => proxy.disable(),
    recover: async () => proxy.enable(),
    [Symbol.asyncDispose]: proxy.close,
  }
}
