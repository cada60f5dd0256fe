import { join } from 'node:path'
import { connect, createDatabase, DatabaseUrlError, migrate, parseDatabaseUrl } from '@pointwise/db'
import { describe, expect, test } from 'vitest'

const CERTIFICATES = join(import.meta.dirname, '../setup/certificates')
const CA = join(CERTIFICATES, 'ca.pem')
const PASSWORD = 'hunter2'
const URL = `mysql://shop:${PASSWORD}@db.example:3307/shop`

/** The problem of an invalid URL. */
function problemOf(url: string): string {
  try {
    parseDatabaseUrl(url)
  } catch (error) {
    if (error instanceof DatabaseUrlError) return error.problem
    throw error
  }
  throw new Error('The URL was accepted.')
}

const tlsOf = (parameters: string) => parseDatabaseUrl(`${URL}?${parameters}`).tls

describe('a database URL', () => {
  test('gives the server, the credentials and the database, without TLS', () => {
    expect(parseDatabaseUrl(URL)).toEqual({
      servers: [{ host: 'db.example', port: 3307 }],
      user: 'shop',
      password: PASSWORD,
      database: 'shop',
      tls: undefined,
    })
  })

  for (const [title, url, expected] of [
    ['without a port uses 3306', 'mysql://shop@db/shop', { servers: [{ host: 'db', port: 3306 }], password: '' }],
    ['with an IPv6 address', 'mysql://shop@[::1]:3307/shop', { servers: [{ host: '::1', port: 3307 }] }],
    ['with an IPv4 address', 'mysql://shop@127.0.0.1/shop', { servers: [{ host: '127.0.0.1', port: 3306 }] }],
    ['with a host name that contains _', 'mysql://shop@my_db-1/shop', { servers: [{ host: 'my_db-1', port: 3306 }] }],
    [
      'with several hosts',
      'mysql://shop@a:3307,b,[::1]:3308/shop',
      {
        servers: [
          { host: 'a', port: 3307 },
          { host: 'b', port: 3306 },
          { host: '::1', port: 3308 },
        ],
      },
    ],
    ['with a scheme in upper case', 'MySQL://shop@db/shop', { user: 'shop' }],
    ['between white space, such as the line break of a file', `\n ${URL}\n`, { database: 'shop', password: PASSWORD }],
    ['with an empty list of parameters', `${URL}?`, { tls: undefined }],
    [
      'with percent-encoded characters',
      'mysql://sh%40op:%25%23%2F%3F%40%3A%20%2B%ED%95%9C@db/o%60dd-%27na%2Fme%27',
      { user: 'sh@op', password: '%#/?@: +한', database: "o`dd-'na/me'" },
    ],
    [
      'with characters that need no encoding in a password',
      'mysql://shop:a:b+c!$&*(),;=[]^|\\"<>{}한@db/shop',
      { password: 'a:b+c!$&*(),;=[]^|\\"<>{}한' },
    ],
  ] as const) {
    test(title, () => expect(parseDatabaseUrl(url)).toMatchObject(expected))
  }

  test('without a database is accepted only with a default', () => {
    expect(problemOf('mysql://shop@db')).toMatch(/^names no database; write it as in mysql:/)
    expect(parseDatabaseUrl('mysql://shop@db', 'tests').database).toBe('tests')
    expect(parseDatabaseUrl(URL, 'tests').database).toBe('shop')
  })
})

describe('an invalid database URL is refused with what is wrong and what to do, and never shows a password:', () => {
  const ENCODE = /in the user name and the password, write % as %25, # as %23, \/ as %2F, \? as %3F, @ as %40/
  for (const [title, url, expected] of [
    ['another scheme', `postgres://shop:${PASSWORD}@db/shop`, /^must have the form mysql:\/\//],
    ['no scheme', `shop:${PASSWORD}@db/shop`, /^must have the form mysql:\/\//],
    ['no slashes', `mysql:shop:${PASSWORD}@db/shop`, /^must have the form mysql:\/\//],
    ['quotation marks', `"${URL}"`, /^must have the form mysql:\/\//],
    ['mariadb', `mariadb://shop:${PASSWORD}@db/shop`, /^starts with mariadb:\/\/; write mysql:\/\/ instead/],
    ['a scheme of Python', `mysql+pymysql://shop:${PASSWORD}@db/shop`, /; write mysql:\/\/ instead/],
    ['a scheme of Java', `jdbc:mysql://shop:${PASSWORD}@db/shop`, /; write mysql:\/\/ instead/],
    ['mysqls', `mysqls://shop:${PASSWORD}@db/shop`, /write mysql:\/\/ instead, and \?ssl-mode=REQUIRED at its end/],
    ['an unencoded #', `mysql://shop:${PASSWORD}#x@db/shop`, ENCODE],
    ['an unencoded /', `mysql://shop:${PASSWORD}/x@db/shop`, ENCODE],
    ['an unencoded ?', `mysql://shop:${PASSWORD}?x@db/shop`, ENCODE],
    ['an unencoded # after digits, which look like a port', `mysql://shop:123#${PASSWORD}@db/shop`, ENCODE],
    ['an unencoded / after digits', `mysql://shop:123/${PASSWORD}@db/shop`, ENCODE],
    ['an unencoded ? after digits', `mysql://shop:123?${PASSWORD}@db/shop`, ENCODE],
    ['an unencoded @', `mysql://shop:${PASSWORD}@x@db/shop`, ENCODE],
    ['an unencoded %', `mysql://shop:${PASSWORD}%@db/shop`, ENCODE],
    ['an unencoded % before a digit', `mysql://shop:${PASSWORD}%1@db/shop`, ENCODE],
    ['bytes that are not UTF-8', `mysql://shop:${PASSWORD}%E9@db/shop`, ENCODE],
    ['a space', `mysql://shop:${PASSWORD} x@db/shop`, ENCODE],
    ['a line break', `mysql://shop:${PASSWORD}\nx@db/shop`, ENCODE],
    ['a fragment', `${URL}#${PASSWORD}`, /^contains a #/],
    ['a NUL', `mysql://shop:${PASSWORD}%00x@db/shop`, /^has a NUL character \(%00\) in the password/],
    ['no user', 'mysql://db/shop', /^names no user name/],
    ['an empty user', `mysql://:${PASSWORD}@db/shop`, /^names no user name/],
    ['no database', `mysql://shop:${PASSWORD}@db`, /^names no database/],
    ['an empty database', `mysql://shop:${PASSWORD}@db/?ssl=true`, /^names no database/],
    ['a path of two parts', `mysql://shop:${PASSWORD}@db/shop/x`, /^has a path of several parts/],
    ['an empty host', `mysql://shop:${PASSWORD}@/shop`, /^names no host/],
    ['an empty host with a port', `mysql://shop:${PASSWORD}@:3306/shop`, /^names no host/],
    ['no authority', 'mysql:///shop', /^names no /],
    ['an empty host among several', `mysql://shop:${PASSWORD}@a:3306,,b/shop`, /^names no host/],
    ['a comma after the last host', `mysql://shop:${PASSWORD}@a:3306,/shop`, /^names no host/],
    ['a host and port twice', `mysql://shop:${PASSWORD}@a,b,A:3306/shop`, /^names the same host and port twice/],
    ['a port that is not valid after another host', `mysql://shop:${PASSWORD}@a,b:0/shop`, /^has a port/],
    [
      'a Unix socket',
      `mysql://shop:${PASSWORD}@%2Ftmp%2Fmysql.sock/shop`,
      /^names a Unix socket; Pointwise connects over TCP/,
    ],
    ['an IPv6 address without brackets', `mysql://shop:${PASSWORD}@::1/shop`, /write an IPv6 address in brackets/],
    ['brackets without an IPv6 address', `mysql://shop:${PASSWORD}@[db]/shop`, /^has a host that is not valid/],
    ['a host with other characters', `mysql://shop:${PASSWORD}@d!b/shop`, /^has a host that is not valid/],
    ['port 0', `mysql://shop:${PASSWORD}@db:0/shop`, /^has a port that is not a whole number from 1 to 65535/],
    ['port 65536', `mysql://shop:${PASSWORD}@db:65536/shop`, /^has a port that is not/],
    ['a port that is not a number', `mysql://shop:${PASSWORD}@db:33x6/shop`, /^has a port that is not/],
    ['a password without a host', `mysql://shop:${PASSWORD}`, /^names no user name|^has a port that is not/],
  ] as const) {
    test(title, () => {
      expect(problemOf(url)).toMatch(expected)
      expect(problemOf(url)).not.toContain(PASSWORD)
    })
  }

  test('by every function that takes a URL, before it connects', async () => {
    const url = `${URL}?rowsAsArray=true`
    const message = `The database URL ${problemOf(url)}.`
    expect(() => connect(url)).toThrow(message)
    await expect(createDatabase(url)).rejects.toThrow(message)
    await expect(migrate(url)).rejects.toThrow(message)
  })
})

describe('the TLS parameters', () => {
  const required = { mode: 'REQUIRED', ca: undefined }
  const identity = { mode: 'VERIFY_IDENTITY', ca: undefined }
  for (const [parameters, expected] of [
    ...['ssl-mode', 'sslmode', 'ssl_mode', 'sslMode', 'SSL-MODE', 'ssl', 'tls'].flatMap((name) => [
      [`${name}=REQUIRED`, required] as const,
      [`${name}=require`, required] as const,
      [`${name}=VERIFY_IDENTITY`, identity] as const,
      [`${name}=verify-full`, identity] as const,
      [`${name}=DISABLED`, undefined] as const,
      [`${name}=disable`, undefined] as const,
    ]),
    ...['ssl', 'tls', 'useSSL', 'requireSSL', 'usessl'].flatMap((name) => [
      [`${name}=true`, required] as const,
      [`${name}=True`, required] as const,
      [`${name}=1`, required] as const,
      [`${name}=false`, undefined] as const,
      [`${name}=0`, undefined] as const,
    ]),
    ['tls=skip-verify', required],
    ['sslaccept=strict', identity],
    ['sslaccept=accept_invalid_certs', required],
    ['ssl={"rejectUnauthorized":true}', identity],
    ['ssl=%7B%22rejectUnauthorized%22%3A%20true%7D', identity],
    ['ssl={"rejectUnauthorized":false}', required],
    ['useSSL=true&requireSSL=true', required],
    ['ssl-mode=REQUIRED&sslaccept=strict', identity],
    ['&ssl-mode=REQUIRED&', required],
  ] as const) {
    test(parameters, () => expect(tlsOf(parameters)).toEqual(expected))
  }

  for (const name of ['ssl-ca', 'sslca', 'ssl_ca', 'sslrootcert', 'sslcert', 'sslRootCert']) {
    test(`${name} names the CA file, whose certificates are verified`, () => {
      const path = encodeURIComponent(CA)
      const ca = expect.stringMatching(/^-----BEGIN CERTIFICATE-----/)
      expect(tlsOf(`${name}=${path}`)).toEqual({ mode: 'VERIFY_CA', ca })
      expect(tlsOf(`ssl-mode=REQUIRED&${name}=${path}`)).toEqual({ mode: 'VERIFY_CA', ca })
      expect(tlsOf(`${name}=${path}&sslmode=verify-ca`)).toEqual({ mode: 'VERIFY_CA', ca })
      expect(tlsOf(`ssl=VERIFY_IDENTITY&${name}=${CA}`)).toEqual({ mode: 'VERIFY_IDENTITY', ca })
    })
  }

  for (const parameters of [
    'ssl-mode=DISABLED&ssl=true',
    'ssl-mode=REQUIRED&useSSL=false',
    'useSSL=true&requireSSL=false',
    'tls=false&sslaccept=strict',
    'tls=skip-verify&sslaccept=strict',
    'ssl-mode=VERIFY_CA&sslaccept=accept_invalid_certs',
    `ssl=false&ssl-ca=${CA}`,
    `tls=skip-verify&ssl-ca=${CA}`,
  ]) {
    test(`${parameters.replace(CA, 'ca.pem')} is a contradiction`, () => {
      expect(problemOf(`${URL}?${parameters}`)).toMatch(/^has parameters that contradict each other: \S+, \S+; write/)
    })
  }

  for (const value of ['PREFERRED', 'preferred', 'prefer', 'allow']) {
    test(`${value}, which can connect without encryption, is refused`, () => {
      for (const name of ['ssl-mode', 'sslmode', 'ssl', 'tls']) {
        expect(problemOf(`${URL}?${name}=${value}`)).toMatch(
          /allows connections without encryption when the server offers none; write ssl-mode=REQUIRED or ssl-mode=DISABLED$/,
        )
      }
    })
  }

  test('an unknown value is refused, with the accepted ones', () => {
    const modes = 'DISABLED, disable, REQUIRED, require, VERIFY_CA, verify-ca, VERIFY_IDENTITY, verify-full'
    for (const value of ['', 'on', 'requird', 'true']) {
      expect(problemOf(`${URL}?ssl-mode=${value}`)).toBe(
        `sets ssl-mode to a value that is not accepted; write one of ${modes}`,
      )
    }
    for (const parameters of [
      'ssl',
      'ssl=',
      'ssl=Amazon%20RDS',
      'ssl={}',
      'ssl={"rejectUnauthorized":true,"ca":1}',
      'sslaccept=true',
      'useSSL=REQUIRED',
    ]) {
      expect(problemOf(`${URL}?${parameters}`)).toMatch(/^sets \w+ to a value that is not accepted; write one of /)
    }
    expect(problemOf(`${URL}?ssl-ca=%`)).toMatch(/^has a % in ssl-ca/)
  })

  test('VERIFY_CA without a CA file is refused', () => {
    expect(problemOf(`${URL}?ssl-mode=VERIFY_CA`)).toMatch(
      /names none; name its file in ssl-ca, or write ssl-mode=VERIFY_IDENTITY$/,
    )
  })

  test('the identity of an IP address cannot be verified', () => {
    for (const host of ['127.0.0.1', '[::1]', 'db.example,127.0.0.1']) {
      expect(problemOf(`mysql://shop@${host}/shop?sslaccept=strict`)).toMatch(
        /^asks to verify the identity of an IP address/,
      )
      expect(parseDatabaseUrl(`mysql://shop@${host}/shop?ssl-ca=${CA}`).tls?.mode).toBe('VERIFY_CA')
    }
  })

  test('a CA file that cannot be used is refused', () => {
    for (const [file, reason] of [
      [join(CERTIFICATES, 'missing.pem'), 'cannot be read (ENOENT)'],
      [CERTIFICATES, 'cannot be read (EISDIR)'],
      ['', 'cannot be read (ENOENT)'],
      [join(CERTIFICATES, 'localhost.key'), 'contains no certificate'],
    ] as const) {
      expect(problemOf(`${URL}?ssl-ca=${file}`)).toContain(
        `names the CA file ${JSON.stringify(file)}, which ${reason}; `,
      )
    }
  })
})

describe('any other parameter is refused by name, with what to do and the accepted ones:', () => {
  const OWN =
    /; Pointwise sets the options of its driver itself; remove it; the accepted parameters are ssl-mode, ssl, /
  for (const [name, expected] of [
    ...['dateStrings', 'rowsAsArray', 'multipleStatements', 'timezone', 'charset', 'flags', 'debug', 'typeCast'].map(
      (name) => [name, OWN] as const,
    ),
    ['connectionLimit', /; set DATABASE_POOL instead; /],
    ['connection_limit', /; set DATABASE_POOL instead; /],
    ['socketPath', /; Pointwise connects over TCP to the host before the \/; /],
    ['password', /; write it before the \?; /],
    ['ssl-cert', /; client certificates are not supported; /],
    ['sslkey', /; client certificates are not supported; /],
    ['verifyServerCertificate', /; write ssl-mode=VERIFY_IDENTITY or ssl-mode=REQUIRED; /],
    ['reconnect', /; remove it; the accepted parameters are /],
    ['uri', /; remove it; /],
    ['__proto__', /name not shown/],
    ['constructor', /; remove it; /],
    ['ssl-moed', /; remove it; /],
  ] as const) {
    test(name, () => {
      const problem = problemOf(`${URL}?${name}=${PASSWORD}`)
      expect(problem).toMatch(expected)
      if (name !== '__proto__') expect(problem).toMatch(new RegExp(`^has the parameter ${name}, which is not accepted`))
      expect(problem).not.toContain(PASSWORD)
    })
  }

  test('also after an accepted one, and with its name percent-encoded', () => {
    expect(problemOf(`${URL}?ssl-mode=REQUIRED&dateStrings=true`)).toMatch(/^has the parameter dateStrings/)
    expect(problemOf(`${URL}?date%53trings=true`)).toMatch(/^has the parameter \(name not shown\)/)
  })

  test('a parameter that is set twice, also under two of its names, is refused', () => {
    for (const parameters of ['ssl-mode=REQUIRED&ssl-mode=REQUIRED', 'sslmode=require&ssl-mode=REQUIRED']) {
      expect(problemOf(`${URL}?${parameters}`)).toBe('sets ssl-mode twice; set it once')
    }
    expect(problemOf(`${URL}?ssl-ca=${CA}&sslrootcert=${CA}`)).toBe('sets ssl-ca twice; set it once')
  })
})
