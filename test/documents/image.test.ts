import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'

const read = (file: string) => readFileSync(join(import.meta.dirname, '../..', file), 'utf8')

test('the image starts the server with the flags of `npm start`', () => {
  const [, command = '[]'] = /^CMD (.*)$/m.exec(read('Dockerfile')) ?? []
  const { scripts } = JSON.parse(read('package.json'))
  expect(JSON.parse(command).join(' ')).toBe(scripts.start)
})
