import { execFile } from 'node:child_process'
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { getCACertificates, setDefaultCACertificates } from 'node:tls'
import { promisify } from 'node:util'
import { afterEach, describe, expect, test } from 'vitest'
import { eventually } from '../setup/eventually.ts'
import { freePort } from '../setup/free-port.ts'
import { openRedis } from './open-redis.ts'
import { startValkey, valkeyIsMissing } from './valkey-server.ts'

const trusted = getCACertificates()
afterEach(() => setDefaultCACertificates(trusted))

/** A server with a port that is encrypted and one that is not, and a certificate that names these hosts. */
async function startEncrypted(hosts: string) {
  const directory = await mkdtemp(join(tmpdir(), 'pointwise-tls-'))
  const [cert, key] = [join(directory, 'cert.pem'), join(directory, 'key.pem')]
  const names = ['-subj', '/CN=valkey', '-addext', `subjectAltName=${hosts}`]
  const newKey = ['-newkey', 'rsa:2048', '-noenc', '-keyout', key]
  await promisify(execFile)('openssl', ['req', '-x509', ...newKey, '-out', cert, '-days', '2', ...names])
  const port = await freePort()
  const files = ['--tls-cert-file', cert, '--tls-key-file', key, '--tls-auth-clients', 'no']
  const valkey = await startValkey(['--tls-port', String(port), '--requirepass', 'secret', ...files])
  return {
    port,
    plainPort: Number(new URL(valkey.url).port),
    certificate: await readFile(cert, 'utf8'),
    async [Symbol.asyncDispose]() {
      await valkey[Symbol.asyncDispose]()
      await rm(directory, { recursive: true })
    },
  }
}

const LOCAL = 'DNS:localhost,IP:127.0.0.1'

describe.skipIf(valkeyIsMissing)(`rediss://${valkeyIsMissing ? ` (${valkeyIsMissing})` : ''}`, () => {
  test('encrypts the connection to a server whose certificate is trusted and names the host', async () => {
    await using valkey = await startEncrypted(LOCAL)
    setDefaultCACertificates([...trusted, valkey.certificate])
    for (const url of ['rediss://:secret@localhost', 'valkeys://default:secret@127.0.0.1']) {
      using opened = openRedis(`${url}:${valkey.port}/1`)
      opened.redis.start()
      await eventually(() => opened.log).toMatchObject([{ level: 'info' }])
      expect(await opened.redis.run((client) => client.client('INFO'))).toContain(`laddr=127.0.0.1:${valkey.port}`)
    }
  })

  test.each([
    { reason: /self-signed certificate/, hosts: LOCAL, isTrusted: false },
    { reason: /altnames/, hosts: 'DNS:other.example', isTrusted: true },
  ])('does not use a server whose certificate is refused: $reason', async ({ reason, hosts, isTrusted }) => {
    await using valkey = await startEncrypted(hosts)
    if (isTrusted) setDefaultCACertificates([...trusted, valkey.certificate])
    using opened = openRedis(`rediss://:secret@localhost:${valkey.port}`)
    opened.redis.start()
    await eventually(() => opened.log).toMatchObject([{ level: 'warn', reason: expect.stringMatching(reason) }])
  })

  test('is reported, and not used, when one side encrypts and the other does not', async () => {
    await using valkey = await startEncrypted(LOCAL)
    for (const url of [`rediss://localhost:${valkey.plainPort}`, `redis://localhost:${valkey.port}`]) {
      using opened = openRedis(url)
      opened.redis.start()
      await eventually(() => opened.log).toMatchObject([{ level: 'warn' }])
    }
  })
})
