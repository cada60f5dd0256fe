import superjson, { type SuperJSONResult } from 'superjson'

type DateMarks = Record<string, ['Date']>

/**
 * superjson with a fast path for what nearly every call consists of: plain objects, arrays, strings, numbers, booleans, null
 * and dates. superjson copies every value, at about 30 times the cost of JSON. The fast path only collects the paths of the
 * dates, and `JSON.stringify` writes the dates as superjson does.
 */
export const transformer = {
  serialize(value: unknown): SuperJSONResult {
    const marks: DateMarks = {}
    if (!isObject(value) || value instanceof Date || !markDates(value, '', marks, new Set())) {
      return superjson.serialize(value)
    }
    const json = value as SuperJSONResult['json']
    for (const _ in marks) return { json, meta: { values: marks, v: 1 } }
    return { json }
  },

  /**
   * Parses an input. Only undefined may be marked as a value that JSON cannot represent. superjson's other marks let the
   * client construct any value, such as an array of any length, and no procedure accepts such a value.
   *
   * @throws TypeError for any other mark, and for a key named `__proto__`, which zod's strict objects ignore
   */
  deserialize({ json, meta }: SuperJSONResult): unknown {
    rejectProtoKeys(json)
    const marks = meta?.values
    if (!marks) return json
    if (!isUndefinedMark(marks) && !Object.values(marks).every(isUndefinedMark)) {
      throw new TypeError('The input contains a superjson mark other than undefined.')
    }
    return superjson.deserialize({ json, meta: { values: marks, ...(meta.v !== undefined && { v: meta.v }) } })
  },
}

function isObject(value: unknown): value is object {
  return typeof value === 'object' && value !== null
}

function isUndefinedMark(mark: unknown): boolean {
  return Array.isArray(mark) && mark.length === 1 && mark[0] === 'undefined'
}

/** Collects the paths of the dates in a value. Returns false when only superjson can serialize the value. */
function markDates(value: object, path: string, marks: DateMarks, seen: Set<object>): boolean {
  // superjson writes a repeated object as a reference.
  if (seen.has(value)) return false
  seen.add(value)
  if (Array.isArray(value)) {
    for (let index = 0; index < value.length; index++) {
      if (!markDatesOfField(value[index], path, String(index), marks, seen)) return false
    }
    return true
  }
  const prototype = Object.getPrototypeOf(value)
  if (prototype !== Object.prototype && prototype !== null) return false
  for (const key of Object.keys(value)) {
    if (key.includes('.') || key.includes('\\') || RESERVED_KEYS.has(key)) return false
    if (!markDatesOfField((value as Record<string, unknown>)[key], path, key, marks, seen)) return false
  }
  return true
}

function markDatesOfField(value: unknown, path: string, key: string, marks: DateMarks, seen: Set<object>): boolean {
  switch (typeof value) {
    case 'string':
    case 'boolean':
      return true
    case 'number':
      return Number.isFinite(value) && !Object.is(value, -0)
    case 'object':
      if (value === null) return true
      if (!(value instanceof Date)) return markDates(value, `${path}${key}.`, marks, seen)
      // JavaScript orders integer keys before all others, so superjson's marks would have another order.
      if (NUMERIC_KEY.test(key)) return false
      if (seen.has(value) || Number.isNaN(value.getTime())) return false
      seen.add(value)
      marks[`${path}${key}`] = ['Date']
      return true
    default:
      return false
  }
}

const NUMERIC_KEY = /^\d/
const RESERVED_KEYS = new Set(['__proto__', 'constructor', 'prototype', 'toJSON'])

function rejectProtoKeys(json: unknown): void {
  const pending: unknown[] = [json]
  while (pending.length > 0) {
    const value = pending.pop()
    if (!isObject(value)) continue
    if (Object.hasOwn(value, '__proto__')) throw new TypeError('The input contains a key named __proto__.')
    for (const child of Object.values(value)) pending.push(child)
  }
}
