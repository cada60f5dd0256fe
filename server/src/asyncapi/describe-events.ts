import { z } from 'zod'
import { type JsonSchema, translate } from '../openapi/json-schema.ts'
import { type EventType, eventHeaders, eventPayloads } from '../outbox/event-schemas.ts'
import { type EventSubject, topicsOf } from '../outbox/topics.ts'

/** An event type with everything that its schema declares. */
export interface EventDescription {
  /** `order.paid` */
  type: EventType
  /** The name of its message and of its schema: `OrderPaid`. */
  name: string
  title: string
  description: string
  /** The key, with fields of the payload in braces: `user:{userId}`. */
  key: string
  payload: JsonSchema
  example: EventSubject
}

/** Every event type, in the order of its declaration. */
export const eventDescriptions: EventDescription[] = (Object.keys(eventPayloads) as EventType[]).map((type) => {
  const schema = eventPayloads[type]
  const { title, description, examples } = schema.meta() ?? {}
  const [example] = Array.isArray(examples) ? examples : []
  if (!title || !description || !example) {
    throw new Error(`The event ${type} has no title, description or example. Add them to its .meta().`)
  }
  return {
    type,
    name: type.replace(/(?:^|\.)(\w)/g, (_, letter: string) => letter.toUpperCase()),
    title,
    description,
    key: topicsOf(fieldNames(schema.shape) as unknown as EventSubject)[0],
    payload: translate(schema, 'output').schema,
    example,
  }
})

/** The headers of an event, of any type. */
export const headerSchema: JsonSchema = translate(eventHeaders, 'output').schema

/** A payload that has the path of each field in place of its value, from which `topicsOf` makes a template of the key. */
function fieldNames(shape: z.ZodRawShape, path = ''): Record<string, unknown> {
  const entries = Object.entries(shape).map(([name, field]) => [
    name,
    field instanceof z.ZodArray && field.element instanceof z.ZodObject
      ? [fieldNames(field.element.shape, `${path}${name}.`)]
      : `{${path}${name}}`,
  ])
  return Object.fromEntries(entries)
}
