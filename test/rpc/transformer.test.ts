import superjson, { type SuperJSONResult } from 'superjson'
import { describe, expect, it } from 'vitest'
import { transformer } from '../../server/src/rpc/transformer.ts'
import { fc } from '../setup/properties.ts'

const key = fc.oneof(
  fc.constantFrom('id', 'name', 'a.b', 'a\\b', 'constructor', 'prototype', '', '0', 'toJSON', 'length'),
  fc.string({ maxLength: 4 }),
)
const leaf = fc.oneof(
  { weight: 6, arbitrary: fc.oneof(fc.string(), fc.integer(), fc.boolean(), fc.constant(null), fc.date()) },
  fc.double(),
  fc.constantFrom(undefined, -0, Number.NaN, Number.POSITIVE_INFINITY, 7n, new Date(Number.NaN), /x/g),
  fc.constant(new Map([[1, new Date(0)]])),
  fc.constant(new Set(['x'])),
  fc.constant(new URL('https://shop.example/')),
)
const { value } = fc.letrec((tie) => ({
  value: fc.oneof(
    { depthSize: 'small', withCrossShrink: true },
    leaf,
    fc.array(tie('value'), { maxLength: 4 }),
    fc.dictionary(key, tie('value'), { maxKeys: 4 }),
  ),
}))

/** The JSON text of a value, or the message of the error that its serialization throws. */
const textOrError = (write: () => unknown) => {
  try {
    return JSON.stringify(write())
  } catch (error) {
    return (error as Error).message
  }
}

describe('transformer', () => {
  it('serializes every value as superjson does', () => {
    fc.assert(
      fc.property(value, (value) => {
        expect(textOrError(() => transformer.serialize(value))).toBe(textOrError(() => superjson.serialize(value)))
      }),
      {
        numRuns: 5_000,
        examples: [[[[[new Date(0)], new Date(1)]]], [{ x: { 1: { y: new Date(0) }, 2: new Date(1) } }]],
      },
    )
  })

  it('serializes a value that occurs twice as superjson does', () => {
    fc.assert(
      fc.property(
        fc.oneof(fc.date(), fc.array(fc.date()), fc.dictionary(key, fc.date())),
        fc.array(key),
        (shared, keys) => {
          const value = Object.fromEntries([...keys, 'a', 'b'].map((key) => [key, shared]))
          expect(textOrError(() => transformer.serialize(value))).toBe(textOrError(() => superjson.serialize(value)))
        },
      ),
    )
  })

  it('serializes class instances as superjson does', () => {
    class Point {
      x = 1
      at = new Date(0)
    }
    for (const value of [new Point(), { point: new Point() }, [Object.create(null)], Object.create({ inherited: 1 })]) {
      expect(textOrError(() => transformer.serialize(value))).toBe(textOrError(() => superjson.serialize(value)))
    }
  })

  it('parses an input that superjson serialized, and rejects every mark except undefined', () => {
    const isInput = (written: SuperJSONResult) =>
      [written.meta?.values ?? {}]
        .flatMap((marks) => (Array.isArray(marks) ? [marks] : Object.values(marks)))
        .every((mark) => JSON.stringify(mark) === '["undefined"]')
    fc.assert(
      fc.property(value, (value) => {
        const json = textOrError(() => superjson.serialize(value)) ?? ''
        fc.pre(json.startsWith('{') && !json.includes('__proto__'))
        const written: SuperJSONResult = JSON.parse(json)
        const read = () => transformer.deserialize(structuredClone(written))
        if (isInput(written)) expect(read()).toEqual(superjson.deserialize(written))
        else expect(read).toThrow('The input contains a superjson mark other than undefined.')
      }),
      { numRuns: 2_000 },
    )
  })
})
