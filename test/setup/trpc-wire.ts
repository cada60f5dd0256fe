import { expect } from 'vitest'
import type { Shop } from './shop.ts'

export interface Answer {
  status: number
  headers: Headers
  text: string
}

/** Sends a request unchanged, also if it is invalid. */
export async function send({ url }: { url: string }, path: string, init: RequestInit = {}): Promise<Answer> {
  const response = await fetch(url + path, init)
  return { status: response.status, headers: response.headers, text: await response.text() }
}

/** A POST with a JSON content type. */
export function json(body: string, headers: Record<string, string> = {}): RequestInit {
  return { method: 'POST', headers: { 'content-type': 'application/json', ...headers }, body }
}

const SQL = /`|\b(insert into|delete from|for update|select .+ from|update \S+ set|values \()/i
const INSIDE = /errno|sqlstate|\bER_|node_modules|\.[jt]s:\d|\n\s+at |mysql|kysely|fastify/i
const TABLES = /point_histories|order_products|stock_changes|product_sales/

/** Asserts that a response contains no SQL, no stack, and no name of a table or a library. */
export function expectNoInternals({ text }: Answer): void {
  for (const pattern of [SQL, INSIDE, TABLES]) expect(text).not.toMatch(pattern)
}

/** Asserts that a response is an error in tRPC's format with the server's data and the request id of the header. Returns the data. */
export function expectError(answer: Answer, status: number, code: string) {
  const body = JSON.parse(answer.text)
  const { error } = Array.isArray(body) ? body[0] : body
  expect({ status: answer.status, ...error?.json }).toEqual({
    status,
    code: expect.any(Number),
    message: expect.stringMatching(/^[A-Z].*/),
    data: {
      code,
      httpStatus: status,
      requestId: answer.headers.get('x-request-id'),
      refusal: error.json.data.refusal ?? null,
      issues: error.json.data.issues ?? null,
      outcome: null,
      ...('path' in error.json.data && { path: expect.any(String) }),
    },
  })
  expect(answer.headers.get('x-request-id')).toMatch(/^[\w-]{8,64}$/)
  expect(answer.headers.get('content-type')).toMatch(/^application\/json\b/)
  expectNoInternals(answer)
  return error.json.data
}

/** The log lines of level `error` or above. */
export function loggedErrors({ log }: Pick<Shop, 'log'>): { level: number; msg: string; requestId?: string }[] {
  return log.map((line) => JSON.parse(line)).filter(({ level }) => level >= 50)
}
