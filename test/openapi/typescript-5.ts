import { registerHooks } from 'node:module'

/* For `node --import`: TypeScript 7 has no interface for JavaScript yet, which openapi-typescript prints its types with. */
registerHooks({
  resolve: (specifier, context, next) => next(specifier === 'typescript' ? 'typescript-5' : specifier, context),
})
