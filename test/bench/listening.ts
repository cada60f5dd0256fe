import type { AddressInfo } from 'node:net'
import type { FastifyInstance } from 'fastify'

/** Listens and sends the port to the parent process. On any message it sends its peak memory in MB; SIGTERM closes it. It ends with its parent. */
export async function listen(app: FastifyInstance, close: () => Promise<unknown>): Promise<void> {
  await app.listen({ port: 0, host: '127.0.0.1' })
  process.once('SIGTERM', async () => {
    await app.close()
    await close()
    process.exit(0)
  })
  process.once('disconnect', () => process.exit(1))
  process.on('message', () => process.send?.(process.resourceUsage().maxRSS / 1_024))
  process.send?.((app.server.address() as AddressInfo).port)
}
