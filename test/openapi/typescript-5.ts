import { registerHooks } from 'node:module'

/* For `node --import`: openapi-typescript needs TypeScript's JavaScript API, which TypeScript 7 does not have yet. */
registerHooks({
  resolve: (specifier, context, next) => next(specifier === 'typescript' ? 'typescript-5' : specifier, context),
})
