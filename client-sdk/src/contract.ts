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
 * The type of the server's router, without its context, tables and validators. This module is never imported at run time.
 * In a declaration file, the compiler writes a type out in full, without referring to the server's types, only where the type
 * is instantiated through a type parameter. Hence the generic function, which is declared but does not exist.
 */

type ServerProcedures = (typeof appRouter)['_def']['record']

type Plain<T> = T extends Date | string | number | boolean | null | undefined
  ? T
  : T extends (infer Item)[]
    ? Plain<Item>[]
    : T extends infer U
      ? { [Key in keyof U]: Plain<U[Key]> }
      : never

/** `Extract` separates the keys from their declaration, so that the compiler does not copy the declaration's comments. */
type Details<T> = T extends infer U ? { [Key in Extract<keyof U, string>]: Detail<U[Key]> } : never

/** A union of literals keeps its alias in declaration files unless it is rebuilt from a mapped type. */
type Detail<T> = [T] extends [string] ? { [Literal in T]: Literal }[T] : Plain<T>

type RefusalOf<Procedure extends AnyTRPCProcedure> =
  Procedure['_def']['$types']['errorShape'] extends infer Shape extends ErrorShape<object>
    ? Details<NonNullable<Shape['data']['refusal']>>
    : never

/** The output of a procedure; of a subscription, the stream of its events. */
type PlainOutput<Output> =
  Output extends AsyncIterable<infer Event> ? AsyncIterable<Plain<Event>, void, unknown> : Plain<Output>

type ProcedureTypes<Procedure extends AnyTRPCProcedure> = Procedure['_def'] extends {
  $types: { input: infer Input; output: infer Output }
}
  ? { input: Plain<Input>; output: PlainOutput<Output>; meta: object; errorShape: ErrorShape<RefusalOf<Procedure>> }
  : never

type PlainProcedure<Procedure extends AnyTRPCProcedure> =
  ProcedureTypes<Procedure> extends infer T extends {
    input: unknown
    output: unknown
    meta: object
    errorShape: unknown
  }
    ? Procedure['_def']['type'] extends 'query'
      ? TRPCQueryProcedure<T>
      : Procedure['_def']['type'] extends 'mutation'
        ? TRPCMutationProcedure<T>
        : Procedure['_def']['type'] extends 'subscription'
          ? TRPCSubscriptionProcedure<T>
          : never
    : never

type PlainProcedures<T> = T extends infer U
  ? {
      [Key in keyof U]: U[Key] extends AnyTRPCRouter
        ? PlainProcedures<U[Key]['_def']['record']>
        : U[Key] extends AnyTRPCProcedure
          ? PlainProcedure<U[Key]>
          : PlainProcedures<U[Key]>
    }
  : never

type RefusalOfAny<T> = {
  [Key in keyof T]: T[Key] extends AnyTRPCProcedure ? RefusalOf<T[Key]> : RefusalOfAny<T[Key]>
}[keyof T]

declare function contractOf<Refusal, Procedures extends TRPCRouterRecord>(): TRPCBuiltRouter<
  { ctx: object; meta: object; errorShape: ErrorShape<Refusal>; transformer: true },
  Procedures
>

export const contract = contractOf<Details<RefusalOfAny<ServerProcedures>>, PlainProcedures<ServerProcedures>>()
