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
