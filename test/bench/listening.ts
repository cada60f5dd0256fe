import type { AddressInfo } from 'node:net'
import type { AppConfig } from '@pointwise/server'
import type { FastifyInstance } from 'fastify'
import { SignJWT } from 'jose'

const SECRET = new TextEncoder().encode('a secret of at least thirty-two bytes')

export const CONFIG: AppConfig = {
  tokens: { audience: 'pointwise', issuer: 'pointwise', key: { secret: SECRET } },
  corsOrigins: [],
  rateLimit: null,
  trustProxy: 0,
  rankingsTtlSeconds: 30,
  storefront: false,
}

export function tokenOf(userId: number): Promise<string> {
  return new SignJWT({ sub: String(userId), aud: 'pointwise', iss: 'pointwise' })
    .setProtectedHeader({ alg: 'HS256' })
    .setExpirationTime('1 day')
    .sign(SECRET)
}

/** Listens, tells the parent the port, and when it asks the most memory ever held; closes when it is told to. */
export async function listen(app: FastifyInstance, close: () => Promise<unknown>): Promise<void> {
  await app.listen({ port: 0, host: '127.0.0.1' })
  process.once('SIGTERM', async () => {
    await app.close()
    await close()
    process.exit(0)
  })
  process.on('message', () => process.send?.(process.resourceUsage().maxRSS / 1_024))
  process.send?.((app.server.address() as AddressInfo).port)
}
