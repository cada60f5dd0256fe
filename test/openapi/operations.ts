import { Ajv2020 } from 'ajv/dist/2020.js'
import addFormats from 'ajv-formats'
import { expect } from 'vitest'

/** The parts of the document that the tests read. */
interface MediaType {
  schema: object
  example?: unknown
  examples?: Record<string, { value: unknown }>
}
interface Content {
  content: { 'application/json': MediaType; 'text/event-stream'?: MediaType }
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
  request: (Content & { required: boolean }) | undefined
  /** The input of the example: `{ json: … }`. */
  input: unknown
}

/** Returns every operation of a document. */
export function operations(document: object): Operation[] {
  return Object.entries((document as Document).paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, operation]) => {
      const request = operation.requestBody ?? operation.parameters?.[0]
      const input = request?.content['application/json'].example
      return { ...operation, name: path.replace('/trpc/', ''), path, method: method as 'get' | 'post', request, input }
    }),
  )
}

/** Returns the content of a response, which may be a reference to a shared response. */
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

/** Whether the response of an operation is a stream of events. */
export function isStream({ responses }: Operation): boolean {
  const { 200: response } = responses
  return response !== undefined && 'content' in response && 'text/event-stream' in response.content
}

/** Returns the document's example of a successful response: the body, or one change of a stream. */
export function exampleOf(document: object, operation: Operation): unknown {
  const { 200: response } = operation.responses
  if (!isStream(operation)) return contentOf(document, response)?.example
  return contentOf(document, response, 'text/event-stream')?.examples?.change?.value
}

/** Creates a function that expects a value to match a schema of the document. */
export function validatorOf(document: object) {
  const ajv = new Ajv2020({ strict: false, allErrors: true })
  // A CommonJS package: some loaders return the function as its default export, others return its module.
  const add = addFormats as unknown as { default?: typeof addFormats.default } & typeof addFormats.default
  ;(add.default ?? add)(ajv)
  ajv.addSchema({ $id: 'openapi', ...document })
  return (schema: object | undefined, value: unknown, what: string) => {
    const anchored = JSON.parse(JSON.stringify(schema ?? false).replaceAll('"#/components/', '"openapi#/components/'))
    const isValid = ajv.validate(anchored, JSON.parse(JSON.stringify(value)))
    expect(isValid ? null : { what, value, errors: ajv.errors }).toBeNull()
  }
}
