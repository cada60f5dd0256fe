import superjson, { type SuperJSONResult } from 'superjson'

/**
 * superjson, whose text this writes and reads, with a shorter way for what nearly every call is made of: plain objects,
 * arrays, text, numbers, booleans, null and dates. superjson copies all that it is given, at some 30 times the cost of
 * JSON; here only the places of the dates are noted, and `JSON.stringify` writes them as superjson does.
 */
export const transformer = {
  serialize(value: unknown): SuperJSONResult {
    const dates: Record<string, ['Date']> = {}
    const seen = new Set<object>()
    if (typeof value !== 'object' || value === null || value instanceof Date || !notePlain(value, '', dates, seen)) {
      return superjson.serialize(value)
    }
    const json = value as SuperJSONResult['json']
    for (const _ in dates) return { json, meta: { values: dates, v: 1 } }
    return { json }
  },

  /**
   * Reads an input, of which only undefined may be marked as more than JSON: superjson's other marks build what the caller
   * likes, an array of any length among them, and no input of ours is of such a kind.
   *
   * @throws TypeError for any other mark, and for a key named `__proto__`, which zod's strict objects pass over
   */
  deserialize({ json, meta }: SuperJSONResult): unknown {
    refuseProto(json)
    const marks = meta?.values
    if (!marks) return json
    if (!isUndefinedMark(marks) && !Object.values(marks).every(isUndefinedMark)) {
      throw new TypeError('An input is marked as more than JSON.')
    }
    return superjson.deserialize({ json, meta: { values: marks, ...(meta.v !== undefined && { v: meta.v }) } })
  },
}

function isUndefinedMark(mark: unknown): boolean {
  return Array.isArray(mark) && mark.length === 1 && mark[0] === 'undefined'
}

/** Notes the dates below `path`; false when superjson has to say how something is written. */
function notePlain(value: object, path: string, dates: Record<string, ['Date']>, seen: Set<object>): boolean {
  // What stands in two places is the same object again when it is read.
  if (seen.has(value)) return false
  seen.add(value)
  if (Array.isArray(value)) {
    for (let index = 0; index < value.length; index++) {
      if (!noteValue(value[index], path, String(index), dates, seen)) return false
    }
    return true
  }
  const prototype = Object.getPrototypeOf(value)
  if (prototype !== Object.prototype && prototype !== null) return false
  for (const key of Object.keys(value)) {
    if (key.includes('.') || key.includes('\\') || RESERVED.has(key)) return false
    if (!noteValue((value as Record<string, unknown>)[key], path, key, dates, seen)) return false
  }
  return true
}

function noteValue(
  value: unknown,
  path: string,
  key: string,
  dates: Record<string, ['Date']>,
  seen: Set<object>,
): boolean {
  switch (typeof value) {
    case 'string':
    case 'boolean':
      return true
    case 'number':
      return Number.isFinite(value) && !Object.is(value, -0)
    case 'object':
      if (value === null) return true
      if (!(value instanceof Date)) return notePlain(value, `${path}${key}.`, dates, seen)
      // JavaScript puts a name that is a number before all others, and so would superjson's list of marks.
      if (NUMBER.test(key)) return false
      if (seen.has(value) || Number.isNaN(value.getTime())) return false
      seen.add(value)
      dates[`${path}${key}`] = ['Date']
      return true
    default:
      return false
  }
}

const NUMBER = /^\d/
const RESERVED = new Set(['__proto__', 'constructor', 'prototype', 'toJSON'])

function refuseProto(text: unknown): void {
  const waiting: unknown[] = [text]
  while (waiting.length > 0) {
    const value = waiting.pop()
    if (typeof value !== 'object' || value === null) continue
    if (Object.hasOwn(value, '__proto__')) throw new TypeError('An input has a key named __proto__.')
    for (const part of Object.values(value)) waiting.push(part)
  }
}
