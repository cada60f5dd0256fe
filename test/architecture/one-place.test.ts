import { describe, expect, test } from 'vitest'
import { usesOfMethods } from './functions.ts'
import { db, pathsOf, sdk, server } from './sources.ts'

const isQueries = (path: string) => /(^server\/src\/outbox\/events|queries)\.ts$/.test(path)

describe('SQL', () => {
  test('is built only in files of queries and in the outbox', () => {
    const builds = /\.(insertInto|updateTable|deleteFrom|selectFrom|selectNoFrom|replaceInto|mergeInto|with)\(/
    const building = pathsOf(server, ({ code }) => builds.test(code))
    expect(building.length).toBeGreaterThan(8)
    expect(building.filter((path) => !isQueries(path))).toEqual([])
    expect(pathsOf(sdk, ({ code }) => builds.test(code))).toEqual([])
  })

  test('locks rows only in functions whose first parameter is a Tx', () => {
    const methods = ['forUpdate', 'forShare', 'forNoKeyUpdate', 'forKeyShare', 'skipLocked', 'noWait']
    const locks = [...server, ...db].flatMap((source) => usesOfMethods(source, methods, 'Tx'))
    expect(locks.length).toBeGreaterThan(3)
    expect(locks.filter(({ isInside }) => !isInside).map(({ position }) => position)).toEqual([])
  })
})

describe('transactions', () => {
  test('are opened only by routers, the settlement, the lease of the relay, retention and the seed of the embedded mode', () => {
    const allowed =
      /^server\/src\/(\w+\/router|payments\/settlement\/settle-batch|rpc\/transactions|relay\/lease|outbox\/retention|embedded\/seed)\.ts$/
    const opening = pathsOf(server, ({ code }) => /\b(transact|executeAutocommit)\(/.test(code))
    expect(opening.length).toBeGreaterThan(5)
    expect(opening.filter((path) => !allowed.test(path))).toEqual([])
  })

  test('are never opened without `transact`', () => {
    const opens = /\b(startTransaction|transaction)\(\)/
    expect(pathsOf([...server, ...sdk], ({ code }) => opens.test(code))).toEqual([])
  })
})

describe('the environment', () => {
  test('is read only by config.ts, to which each process passes it', () => {
    const reading = server.filter(({ code }) => /process\.env|import\.meta\.env/.test(code))
    expect(reading.map(({ path }) => path)).toEqual([
      'server/scripts/audit.ts',
      'server/scripts/relay.ts',
      'server/src/main.ts',
    ])
    for (const { code } of reading) {
      expect(code.match(/process\.env/g)).toHaveLength(1)
      expect(code).toMatch(/\bread(Audit|Relay)?Config\(process\.env\)/)
    }
  })

  test('is not read by the SDK', () => {
    const sources = sdk.filter(({ path }) => path.startsWith('client-sdk/src/'))
    expect(pathsOf(sources, ({ code }) => /process\.env/.test(code))).toEqual([])
  })
})

test('only scripts and the process entry write to the console', () => {
  const writes = /\bconsole\.|process\.(stdout|stderr)\.write/
  const allowed = /^server\/(scripts\/[\w-]+|src\/main)\.ts$/
  expect(pathsOf([...server, ...db], ({ path, code }) => writes.test(code) && !allowed.test(path))).toEqual([])
})

test('pages for browsers are loaded only when the storefront is on', () => {
  const app = server.find(({ path }) => path === 'server/src/app.ts')?.code ?? ''
  const [before = '', ...after] = app.split('if (!config.storefront) return')
  expect(before).not.toContain("import('./http/web/")
  expect(after.join('')).toMatch(
    /import\('\.\/http\/web\/api-reference\.ts'\)[\s\S]+import\('\.\/http\/web\/storefront\.ts'\)/,
  )
})
