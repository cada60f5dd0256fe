import { expect, test } from 'vitest'
import { findBannedWords } from './banned-words.ts'

test('no source and no document contains a banned word', () => {
  const uses = findBannedWords().map(({ path, line, word, instead }) => `${path}:${line}: "${word}" (${instead})`)
  expect(uses).toEqual([])
})
