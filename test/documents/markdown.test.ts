import { describe, expect, test } from 'vitest'
import { replaceSection } from '../../server/scripts/markdown.ts'

describe('replaceSection', () => {
  const page = 'Before.\n\n<!-- figures: written by a test -->\n\nold\n\n<!-- end of figures -->\n\nAfter.\n'
  const replace = (text: string, on = page) => replaceSection(on, 'figures', { by: 'a test', text })

  test('replaces the text between the marks and nothing else', () => {
    expect(replace('new')).toBe(page.replace('old', 'new'))
  })

  test('has no effect when it is repeated', () => {
    expect(replace('new', replace('new'))).toBe(replace('new'))
  })

  test('throws an error that names the missing section', () => {
    expect(() => replace('new', 'A page.')).toThrow('The page has no section for figures')
  })
})
