import { appRouter, createDocument, REFUSALS } from '@pointwise/server'
import { Validator } from '@seriousme/openapi-schema-validator'
import { describe, expect, test } from 'vitest'
import { contentOf, exampleOf, operations, validatorOf } from './operations.ts'

const document = JSON.parse(JSON.stringify(createDocument()))
const described = operations(document)
const validate = validatorOf(document)

test('the document is valid OpenAPI 3.1', async () => {
  const validator = new Validator()
  expect(await validator.validate(document)).toEqual({ valid: true })
  expect(validator.version).toBe('3.1')
})

test('it tells of every procedure, and of no other', () => {
  expect(described.map(({ name }) => name)).toEqual(Object.keys(appRouter._def.procedures))
})

test('it is the same each time', () => {
  expect(JSON.parse(JSON.stringify(createDocument()))).toEqual(document)
})

describe.each(described)('$name', (operation) => {
  const { name, description, asked, input, responses } = operation
  test('says what it does, and shows it', () => {
    expect(description).toMatch(/^[A-Z].{2,}\. Requires (no token|the token of a user|the token of an admin)\.$/)
    if (asked?.required) expect(input, 'the example’s input').toBeDefined()
    if (asked && input) validate(asked.content['application/json'].schema, input, 'the example’s input')
    const content = contentOf(document, responses[200]) ?? contentOf(document, responses[200], 'text/event-stream')
    expect(exampleOf(document, operation), 'the example’s answer').toBeDefined()
    validate(content?.schema, exampleOf(document, operation), 'the example’s answer')
    for (const [what, { value }] of Object.entries(content?.examples ?? {})) validate(content?.schema, value, what)
  })

  test('shows each of its failures as it describes them', () => {
    for (const [status, response] of Object.entries(responses).filter(([status]) => status !== '200')) {
      const content = contentOf(document, response)
      const shown = Object.entries(content?.examples ?? {})
      expect(shown.length, `examples of ${status}`).toBeGreaterThan(0)
      for (const [what, { value }] of shown) validate(content?.schema, value, `${name} ${status} ${what}`)
    }
  })
})

test('each refusal is one of some procedure, by the schema of its name', () => {
  const text = JSON.stringify(document.paths)
  const names = Object.keys(REFUSALS).map((code) => code.replace(/(?:^|_)(\w)/g, (_, letter) => letter.toUpperCase()))
  for (const name of names) expect(text).toContain(`"#/components/schemas/${name}"`)
  expect(Object.keys(document.components.schemas)).toEqual(expect.arrayContaining(names))
})
