import { Ajv, type ValidateFunction } from 'ajv'
import addFormats from 'ajv-formats'

interface Reference {
  $ref: string
}

/** The parts of a message that the tests read. */
export interface Message {
  /** The name of the message in the document: `OrderPaid`. */
  id: string
  name: string
  title: string
  summary: string
  headers: object
  /** With its reference resolved. */
  payload: object
  bindings: { kafka: { key: object } }
  examples: { headers: object; payload: object }[]
}

interface Document {
  components: { messages: Record<string, Omit<Message, 'id' | 'payload'> & { payload: Reference }> }
}

/** Returns every message of an AsyncAPI document. */
export function messages(document: object): Message[] {
  return Object.entries((document as Document).components.messages).map(([id, message]) => ({
    ...message,
    id,
    payload: resolveRef(document, message.payload.$ref) as object,
  }))
}

/** Returns the target of a reference inside the document; undefined if there is none. */
export function resolveRef(document: object, reference: string): unknown {
  const [root, ...path] = reference.split('/')
  if (root !== '#') return undefined
  return path.reduce<unknown>((part, name) => (part as Record<string, unknown> | undefined)?.[name], document)
}

/**
 * Compiles a JSON Schema of draft 7, the dialect of AsyncAPI. `strict` refuses keywords that the dialect does not have. The
 * schema of AsyncAPI itself contains the dialect's schema, so it is compiled without `meta`.
 */
export function validatorOf(schema: object, { isMeta = false } = {}): ValidateFunction {
  const options = isMeta ? { meta: false, strict: false, validateSchema: false } : { strictRequired: false }
  const ajv = new Ajv({ strict: true, allErrors: true, ...options })
  // A CommonJS package: some loaders return the function as its default export, others return its module.
  const add = addFormats as unknown as { default?: typeof addFormats.default } & typeof addFormats.default
  ;(add.default ?? add)(ajv)
  return ajv.compile(schema)
}

const validators = new WeakMap<object, ValidateFunction>()

/** Whether a value, as JSON, matches a schema of the document. */
export function isValid(schema: object, value: unknown): boolean {
  const validate = validators.get(schema) ?? validatorOf(schema)
  validators.set(schema, validate)
  return validate(JSON.parse(JSON.stringify(value)))
}
