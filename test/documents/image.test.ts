import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'

const read = (file: string) => readFileSync(join(import.meta.dirname, '../..', file), 'utf8')

test('the image starts the server with the flags of `npm start`, which replaces the shell of npm', () => {
  const [, command = '[]'] = /^CMD (.*)$/m.exec(read('Dockerfile')) ?? []
  const { scripts } = JSON.parse(read('package.json'))
  // With exec, a signal that npm passes on reaches the server and not only a shell.
  expect(`exec ${JSON.parse(command).join(' ')}`).toBe(scripts.start)
})
