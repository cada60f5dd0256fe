import { appRouter, createDocument, REFUSALS } from '@pointwise/server'
import { Validator } from '@seriousme/openapi-schema-validator'
import { describe, expect, test } from 'vitest'
import { contentOf, exampleOf, operations, validatorOf } from './operations.ts'

const document = JSON.parse(JSON.stringify(createDocument()))
const documented = operations(document)
const validate = validatorOf(document)

test('the document is valid OpenAPI 3.1', async () => {
  const validator = new Validator()
  expect(await validator.validate(document)).toEqual({ valid: true })
  expect(validator.version).toBe('3.1')
})

test('the document contains every procedure and no other', () => {
  expect(documented.map(({ name }) => name)).toEqual(Object.keys(appRouter._def.procedures))
})

test('the document is the same each time it is created', () => {
  expect(JSON.parse(JSON.stringify(createDocument()))).toEqual(document)
})

describe.each(documented)('$name', (operation) => {
  const { name, description, request, input, responses } = operation
  test('has a description and valid examples of its input and output', () => {
    expect(description).toMatch(/^[A-Z].{2,}\. Requires (no token|the token of a user|the token of an admin)\.$/)
    if (request?.required) expect(input, 'the example’s input').toBeDefined()
    if (request && input) validate(request.content['application/json'].schema, input, 'the example’s input')
    const content = contentOf(document, responses[200]) ?? contentOf(document, responses[200], 'text/event-stream')
    expect(exampleOf(document, operation), 'the example’s output').toBeDefined()
    validate(content?.schema, exampleOf(document, operation), 'the example’s output')
    for (const [example, { value }] of Object.entries(content?.examples ?? {}))
      validate(content?.schema, value, example)
  })

  test('has valid examples of each of its failures', () => {
    for (const [status, response] of Object.entries(responses).filter(([status]) => status !== '200')) {
      const content = contentOf(document, response)
      const examples = Object.entries(content?.examples ?? {})
      expect(examples.length, `examples of ${status}`).toBeGreaterThan(0)
      for (const [example, { value }] of examples) validate(content?.schema, value, `${name} ${status} ${example}`)
    }
  })
})

test('each refusal has a schema of its name, which at least one procedure refers to', () => {
  const text = JSON.stringify(document.paths)
  const names = Object.keys(REFUSALS).map((code) => code.replace(/(?:^|_)(\w)/g, (_, letter) => letter.toUpperCase()))
  for (const name of names) expect(text).toContain(`"#/components/schemas/${name}"`)
  expect(Object.keys(document.components.schemas)).toEqual(expect.arrayContaining(names))
})
