import { Ajv2020 } from 'ajv/dist/2020.js'
import addFormats from 'ajv-formats'
import { expect } from 'vitest'

/** The parts of the document that the tests read. */
interface Told {
  schema: object
  example?: unknown
  examples?: Record<string, { value: unknown }>
}
interface Content {
  content: { 'application/json': Told; 'text/event-stream'?: Told }
}
type Response = (Content & { description: string }) | { $ref: string }
interface DescribedOperation {
  description?: string
  security: object[]
  parameters?: [Content & { required: boolean }]
  requestBody?: Content & { required: boolean }
  responses: Record<string, Response>
}
interface Document {
  paths: Record<string, Partial<Record<'get' | 'post', DescribedOperation>>>
  components: { responses: Record<string, Content> }
}

export interface Operation extends DescribedOperation {
  /** `orders.place` */
  name: string
  path: string
  method: 'get' | 'post'
  asked: (Content & { required: boolean }) | undefined
  /** As the example has it: `{ json: … }`. */
  input: unknown
}

/** Every operation of a document. */
export function operations(document: object): Operation[] {
  return Object.entries((document as Document).paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, operation]) => {
      const asked = operation.requestBody ?? operation.parameters?.[0]
      const input = asked?.content['application/json'].example
      return { ...operation, name: path.replace('/trpc/', ''), path, method: method as 'get' | 'post', asked, input }
    }),
  )
}

/** The content of an answer, which may stand among what is shared. */
export function contentOf(
  document: object,
  response: Response | undefined,
  kind: keyof Content['content'] = 'application/json',
) {
  if (!response) return undefined
  const { responses } = (document as Document).components
  const content = '$ref' in response ? responses[response.$ref.split('/').at(-1) ?? '']?.content : response.content
  return content?.[kind]
}

/** Whether an operation goes on for as long as somebody listens. */
export function isStream({ responses }: Operation): boolean {
  const { 200: response } = responses
  return response !== undefined && 'content' in response && 'text/event-stream' in response.content
}

/** What the document shows of an operation that goes well: its answer, or a change. */
export function exampleOf(document: object, operation: Operation): unknown {
  const { 200: response } = operation.responses
  if (!isStream(operation)) return contentOf(document, response)?.example
  return contentOf(document, response, 'text/event-stream')?.examples?.change?.value
}

/** Holds values against the schemas of a document. */
export function validatorOf(document: object) {
  const ajv = new Ajv2020({ strict: false, allErrors: true })
  // A package of CommonJS, whose default is the function itself for some loaders, and its module for others.
  const add = addFormats as unknown as { default?: typeof addFormats.default } & typeof addFormats.default
  ;(add.default ?? add)(ajv)
  ajv.addSchema({ $id: 'openapi', ...document })
  return (schema: object | undefined, value: unknown, what: string) => {
    const anchored = JSON.parse(JSON.stringify(schema ?? false).replaceAll('"#/components/', '"openapi#/components/'))
    const isValid = ajv.validate(anchored, JSON.parse(JSON.stringify(value)))
    expect(isValid ? null : { what, value, errors: ajv.errors }).toBeNull()
  }
}
