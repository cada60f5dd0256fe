import { copyFile } from 'node:fs/promises'
import { join } from 'node:path'
import { connect, createDatabase, errorMessage, migrate } from '@pointwise/db'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { run } from '../setup/database.ts'
import { installedServers, type PrivateServer, query, startServer } from '../setup/development-database.ts'

const CERTIFICATES = join(import.meta.dirname, '../setup/certificates')
const CA = join(CERTIFICATES, 'ca.pem')
const ENCRYPTED = /^(TLS|ECDHE|DHE)/

/** Gives the server the certificate of a host. */
async function installCertificate(directory: string, host: string): Promise<void> {
  await copyFile(join(CERTIFICATES, `${host}.pem`), join(directory, 'server.pem'))
  await copyFile(join(CERTIFICATES, `${host}.key`), join(directory, 'server.key'))
}

/** The cipher of a pool's sessions, empty without encryption. */
async function cipherOf(url: string): Promise<string> {
  const db = connect(url)
  try {
    const [row] = await run<{ Value: string }>(db, "show session status like 'Ssl_cipher'")
    return row?.Value ?? ''
  } finally {
    await db.destroy()
  }
}

/** The message with which a connection fails. */
async function failureOf(url: string): Promise<string> {
  return createDatabase(url).then(
    () => 'connected',
    (error) => errorMessage(error),
  )
}

for (const binary of await installedServers()) {
  describe(`a ${binary.kind} server with a certificate for localhost`, { timeout: 60_000 }, () => {
    let server: PrivateServer
    let url: URL
    const address = (parameters: string, host = 'localhost') => {
      url.hostname = host
      return `${url.href}?${parameters}`
    }

    beforeAll(async () => {
      server = await startServer(binary, async (directory) => {
        await installCertificate(directory, 'localhost')
        return [
          `--ssl-ca=${CA}`,
          `--ssl-cert=${join(directory, 'server.pem')}`,
          `--ssl-key=${join(directory, 'server.key')}`,
        ]
      })
      url = new URL(server.url)
      await createDatabase(server.url)
    }, 60_000)
    afterAll(() => server?.[Symbol.asyncDispose]())

    test('connections are encrypted with each spelling that asks for it', async () => {
      for (const parameters of [
        'ssl-mode=REQUIRED',
        'sslmode=require',
        'ssl=true',
        'tls=true',
        'useSSL=true',
        'requireSSL=true',
        'sslaccept=accept_invalid_certs',
        `sslaccept=strict&sslcert=${CA}`,
        `ssl-mode=VERIFY_IDENTITY&ssl-ca=${CA}`,
        `sslrootcert=${CA}`,
      ]) {
        expect(await cipherOf(address(parameters)), parameters).toMatch(ENCRYPTED)
      }
      expect(await cipherOf(address(`ssl-ca=${CA}`, '127.0.0.1'))).toMatch(ENCRYPTED)
    })

    test('connections are not encrypted without parameters, or with a spelling of DISABLED', async () => {
      for (const parameters of ['', 'ssl-mode=DISABLED', 'sslmode=disable', 'ssl=false', 'tls=false', 'useSSL=false']) {
        expect(await cipherOf(address(parameters)), parameters).toBe('')
      }
    })

    test('an account that requires TLS creates and migrates a database, and without TLS the error states what to do', async () => {
      await query(
        server.url.replace(/shop$/, ''),
        "create user encrypted identified by 'secret' require ssl",
        'grant all on *.* to encrypted',
      )
      const secret = new URL(address('', '127.0.0.1'))
      secret.username = 'encrypted'
      secret.password = 'secret'
      secret.pathname = '/encrypted'
      expect(await failureOf(secret.href)).toMatch(
        /Access denied .* Check the user name and the password in DATABASE_URL;/,
      )
      secret.search = '?ssl-mode=REQUIRED'
      await createDatabase(secret.href)
      expect(await migrate(secret.href)).not.toEqual([])
      expect(await cipherOf(secret.href)).toMatch(ENCRYPTED)
      await query(server.url, 'set global require_secure_transport = 1')
      expect(await failureOf(address('', '127.0.0.1'))).toMatch(/add ssl-mode=VERIFY_IDENTITY or ssl-mode=REQUIRED/i)
      const admin = connect(address('ssl-mode=REQUIRED'))
      await run(admin, 'set global require_secure_transport = 0')
      await admin.destroy()
    })

    test('a certificate that no known authority has signed fails, and the error states what to do', async () => {
      const action =
        /\. The TLS connection that DATABASE_URL requires was not established\. Name the file of the authority/
      for (const parameters of [
        'ssl-mode=VERIFY_IDENTITY',
        'sslaccept=strict',
        `ssl-ca=${join(CERTIFICATES, 'other-ca.pem')}`,
        `ssl-mode=REQUIRED&ssl-ca=${join(CERTIFICATES, 'other-ca.pem')}`,
      ]) {
        expect(await failureOf(address(parameters)), parameters).toMatch(action)
      }
    })

    test('a certificate of another host fails only when the identity is verified', async () => {
      await installCertificate(server.directory, 'database.example')
      await query(server.url, binary.kind === 'mysql' ? 'alter instance reload tls' : 'flush ssl')
      expect(await failureOf(address(`ssl-mode=VERIFY_IDENTITY&ssl-ca=${CA}`))).toMatch(
        /Hostname\/IP does not match certificate's altnames.* Name the file .* and the host as in the certificate\./,
      )
      expect(await cipherOf(address(`ssl-mode=VERIFY_CA&ssl-ca=${CA}`))).toMatch(ENCRYPTED)
    })
  })

  test(`a ${binary.kind} server without TLS is not used by a URL that asks for it`, { timeout: 60_000 }, async () => {
    await using server = await startServer(binary, binary.kind === 'mysql' ? ['--tls-version='] : ['--skip-ssl'])
    for (const parameters of ['ssl-mode=REQUIRED', 'sslmode=require', 'tls=true', 'useSSL=true', `ssl-ca=${CA}`]) {
      expect(await failureOf(`${server.url}?${parameters}`), parameters).toBe(
        'Server does not support secure connection. DATABASE_URL requires TLS, and the database server offers none. Enable TLS on the server, or write ssl-mode=DISABLED if you trust the network.',
      )
    }
    await createDatabase(`${server.url}?ssl-mode=DISABLED`)
    expect(await cipherOf(server.url)).toBe('')
  })
}
