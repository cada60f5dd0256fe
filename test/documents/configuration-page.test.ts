import { readFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { parseDatabaseUrl } from '@pointwise/db'
import { describe, expect, test } from 'vitest'
import { tableRows } from './markdown-table.ts'

const ROOT = resolve(import.meta.dirname, '../..')
const read = (file: string) => readFileSync(join(ROOT, file), 'utf8')

/** The variables that the configuration reads. */
const VARIABLES = [...read('server/src/config.ts').matchAll(/^ {2}([A-Z_]+): optional/gm)].map(([, name = '']) => name)
/** docker-compose.yml sets these itself. */
const SET_BY_COMPOSE = ['DATABASE_URL', 'HOST', 'PORT']
const EMBEDDED_ONLY = 'POINTWISE_DATABASE'

const CA = join(ROOT, 'test/setup/certificates/ca.pem')
const inCode = (cell: string) => [...cell.matchAll(/`([^`]+)`/g)].map(([, text = '']) => text)

const documented = tableRows(read('docs/configuration.md'), '| variable | default | meaning |')

describe('docs/configuration.md', () => {
  test('lists every variable of the configuration, as .env.example does', () => {
    expect(VARIABLES.length).toBeGreaterThan(10)
    expect(documented.map(([name]) => name).toSorted()).toEqual(VARIABLES.toSorted())
    const example = [...read('.env.example').matchAll(/^([A-Z_]+)=/gm)].map(([, name]) => name)
    expect(example.toSorted()).toEqual(VARIABLES.toSorted())
  })

  test('lists the defaults with which docker-compose.yml passes every variable to the server', () => {
    const [, server = ''] = /^ {2}server:\n([\s\S]*?)^ {4}ports:/m.exec(read('docker-compose.yml')) ?? []
    const passed = [...server.matchAll(/^ {6}([A-Z_]+): (.+)$/gm)].map(
      ([, name = '', value = '']) => [name, value] as const,
    )
    expect(passed.map(([name]) => name).toSorted()).toEqual(
      VARIABLES.filter((name) => name !== EMBEDDED_ONLY).toSorted(),
    )
    const defaults = new Map(documented.map(([name, value]) => [name, value === '–' ? '' : value]))
    for (const [name, value] of passed.filter(([name]) => !SET_BY_COMPOSE.includes(name))) {
      expect({ [name]: value }).toEqual({ [name]: `\${${name}:-${defaults.get(name)}}` })
    }
  })

  test('describes the profile of docker-compose.yml with several servers, which share Valkey and Kafka behind a proxy', () => {
    const compose = read('docker-compose.yml')
    const [, member = ''] = /^ {2}server-1: &member\n([\s\S]*?)\n\n/m.exec(compose) ?? []
    const variable = (name: string) => new RegExp(`^ {6}${name}: "?([^"\n]+)"?$`, 'm').exec(member)?.[1]
    expect(member).toContain('<<: *environment')
    expect(variable('REDIS_URL')).toBe('redis://valkey:6379')
    expect(variable('KAFKA_BROKERS')).toBe('kafka:9092')
    expect(variable('TRUST_PROXY')).toBe('1')
    const graceSeconds = Number(/stop_grace_period: (\d+)s/.exec(member)?.[1])
    expect(graceSeconds * 1_000).toBeGreaterThanOrEqual(Number(variable('SHUTDOWN_DELAY_MS')) + 10_000)
    const servers = [...compose.matchAll(/^ {2}(server-\d): [&*]member$/gm)].map(([, name]) => name)
    expect(servers).toHaveLength(3)
    expect(compose).toContain(`reverse_proxy ${servers.map((name) => `${name}:3000`).join(' ')} {`)
    expect(read('docs/operations.md')).toContain('docker compose --profile servers up proxy')
  })

  test('lists parameters of the database URL that are accepted under each name, and providers with valid ones', () => {
    const parse = (parameters: string) => parseDatabaseUrl(`mysql://shop@database.example/shop?${parameters}`)
    const parameters = tableRows(read('docs/configuration.md'), '| parameter | other names | values |')
    for (const name of parameters.flatMap(([names = '', others = '']) => inCode(`${names}${others}`))) {
      expect(() => parse(`${name}=no`)).toThrow(/sets \S+ to a value that is not accepted|names the CA file "no"/)
    }
    const providers = tableRows(read('docs/configuration.md'), '| provider | parameters |')
    for (const [provider, cell = ''] of providers) {
      const [example = ''] = inCode(cell)
      expect(parse(example.slice(1).replace(/(?<=ssl-ca=)[^&]+/, CA)).tls?.mode, provider).toMatch(/^VERIFY_/)
    }
  })
})
