import { describe, expect, test } from 'vitest'
import { parseRedisUrl } from '../../server/src/redis/redis-url.ts'

const LOCAL = {
  host: '127.0.0.1',
  port: 6_379,
  username: undefined,
  password: undefined,
  database: 0,
  isEncrypted: false,
}

describe('the URL of a Redis server', () => {
  test.each([
    ['redis://127.0.0.1', LOCAL],
    ['valkey://127.0.0.1', LOCAL],
    ['redis://127.0.0.1/', LOCAL],
    ['redis://127.0.0.1:6380', { ...LOCAL, port: 6_380 }],
    ['redis://127.0.0.1:6380/3', { ...LOCAL, port: 6_380, database: 3 }],
    ['redis://[::1]:7000/15', { ...LOCAL, host: '::1', port: 7_000, database: 15 }],
    ['redis://:p%40ss%2Fword@127.0.0.1', { ...LOCAL, password: 'p@ss/word' }],
    ['redis://shop:secret@127.0.0.1', { ...LOCAL, username: 'shop', password: 'secret' }],
    ['rediss://cache.example:6380', { ...LOCAL, host: 'cache.example', port: 6_380, isEncrypted: true }],
    ['valkeys://cache.example', { ...LOCAL, host: 'cache.example', isEncrypted: true }],
  ])('%s', (url, address) => {
    expect(parseRedisUrl(url)).toEqual(address)
  })

  test.each([
    'http://127.0.0.1',
    '127.0.0.1:6379',
    'localhost',
    'redis://',
    'redis:///1',
    'redis://127.0.0.1/shop',
    'redis://127.0.0.1/-1',
    'redis://127.0.0.1/1/2',
    'redis://127.0.0.1:99999',
    'redis://127.0.0.1?family=6',
    'redis://127.0.0.1#1',
    'redis://:100%@127.0.0.1',
    'redis://a,b:6379',
  ])('%s is not accepted', (url) => {
    expect(parseRedisUrl(url)).toBeUndefined()
  })
})
