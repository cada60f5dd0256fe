import type { appRouter } from '@pointwise/server/router'
import type {
  AnyTRPCProcedure,
  AnyTRPCRouter,
  TRPCBuiltRouter,
  TRPCMutationProcedure,
  TRPCQueryProcedure,
  TRPCRouterRecord,
  TRPCSubscriptionProcedure,
} from '@trpc/server'
import type { ErrorShape } from './error-shape.ts'

/*
 * Types only: the server's router without its context, its tables and its validators. The compiler writes a type out,
 * without a name of the server's, only where it is instantiated through a type parameter; hence a function that nobody
 * calls.
 */

type Procedures = (typeof appRouter)['_def']['record']

type Plain<T> = T extends Date | string | number | boolean | null | undefined
  ? T
  : T extends (infer Item)[]
    ? Plain<Item>[]
    : T extends infer U
      ? { [Key in keyof U]: Plain<U[Key]> }
      : never

/** `Extract` detaches the keys from where they were declared, so that the compiler does not repeat what stands there. */
type Details<T> = T extends infer U ? { [Key in Extract<keyof U, string>]: Detail<U[Key]> } : never

/** A union of literals keeps the name it was given until it is put together anew. */
type Detail<T> = [T] extends [string] ? { [Literal in T]: Literal }[T] : Plain<T>

type RefusalOf<Procedure extends AnyTRPCProcedure> =
  Procedure['_def']['$types']['errorShape'] extends infer Shape extends ErrorShape<object>
    ? Details<NonNullable<Shape['data']['refusal']>>
    : never

/** Of a subscription, what it tells one after the other. */
type Answer<Output> =
  Output extends AsyncIterable<infer Told> ? AsyncIterable<Plain<Told>, void, unknown> : Plain<Output>

type Types<Procedure extends AnyTRPCProcedure> = Procedure['_def'] extends {
  $types: { input: infer Input; output: infer Output }
}
  ? { input: Plain<Input>; output: Answer<Output>; meta: object; errorShape: ErrorShape<RefusalOf<Procedure>> }
  : never

type Call<Procedure extends AnyTRPCProcedure> =
  Types<Procedure> extends infer T extends { input: unknown; output: unknown; meta: object; errorShape: unknown }
    ? Procedure['_def']['type'] extends 'query'
      ? TRPCQueryProcedure<T>
      : Procedure['_def']['type'] extends 'mutation'
        ? TRPCMutationProcedure<T>
        : Procedure['_def']['type'] extends 'subscription'
          ? TRPCSubscriptionProcedure<T>
          : never
    : never

type Calls<T> = T extends infer U
  ? {
      [Key in keyof U]: U[Key] extends AnyTRPCRouter
        ? Calls<U[Key]['_def']['record']>
        : U[Key] extends AnyTRPCProcedure
          ? Call<U[Key]>
          : Calls<U[Key]>
    }
  : never

type Refusals<T> = {
  [Key in keyof T]: T[Key] extends AnyTRPCProcedure ? RefusalOf<T[Key]> : Refusals<T[Key]>
}[keyof T]

declare function contractOf<Refusal, Calls extends TRPCRouterRecord>(): TRPCBuiltRouter<
  { ctx: object; meta: object; errorShape: ErrorShape<Refusal>; transformer: true },
  Calls
>

export const contract = contractOf<Details<Refusals<Procedures>>, Calls<Procedures>>()
