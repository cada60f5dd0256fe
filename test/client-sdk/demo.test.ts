import { execFile } from 'node:child_process'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { describe, expect, it } from 'vitest'
import { openShop } from '../setup/shop.ts'

const run = promisify(execFile)
const DEMO = fileURLToPath(new URL('../../client-sdk/example/demo.ts', import.meta.url))

describe('npm run demo', () => {
  it('buys twice and is refused twice, on each run', async () => {
    await using shop = await openShop()
    const { token } = await shop.givenUser({ points: 985_000 })
    await shop.givenProduct({ name: 'Mug', price: 400, stock: 4 })
    await shop.givenProduct({ name: 'Piano', price: 90_000, stock: 1 })
    const folder = await mkdtemp(join(tmpdir(), 'pointwise-demo-'))
    const file = join(folder, 'server.json')
    await writeFile(file, JSON.stringify({ url: shop.url, userToken: token }))
    const demo = async () => (await run(process.execPath, [DEMO, file])).stdout.split('\n')
    try {
      expect(await demo()).toEqual([
        '2 products; Mug costs 400, 4 left.',
        'Charged 10000 points: the balance is 995000.',
        expect.stringMatching(/^Checked out order \d+ for 400: the balance is 994600\.$/),
        expect.stringMatching(/^Placed order \d+, then paid it: the balance is 994200\.$/),
        'Refused: the order costs 1080000 points, and the balance is 994200.',
        'Refused: the price is 400, not 401.',
        'USE    -400, balance 994200',
        'USE    -400, balance 994600',
        'CHARGE 10000, balance 995000',
        '',
      ])
      const secondRun = await demo()
      expect(secondRun[0]).toBe('2 products; Mug costs 400, 2 left.')
      expect(secondRun.filter((line) => line.startsWith('Charged'))).toEqual([])
      expect(secondRun.filter((line) => line.startsWith('Refused'))).toHaveLength(2)
    } finally {
      await rm(folder, { recursive: true })
    }
  })

  it('exits with code 1 and asks to start the server if server.json is missing', async () => {
    await expect(run(process.execPath, [DEMO, join(tmpdir(), 'missing', 'server.json')])).rejects.toMatchObject({
      code: 1,
      stderr: expect.stringContaining('Start the server first: npm start'),
    })
  })
})
