import { registerHooks } from 'node:module'

/** dependency-cruiser parses with the JavaScript API of the compiler, which TypeScript 7 does not have yet. */
registerHooks({
  resolve: (specifier, context, next) =>
    next(
      context.parentURL?.includes('/node_modules/dependency-cruiser/')
        ? specifier.replace(/^typescript(?=$|\/)/, 'typescript-6')
        : specifier,
      context,
    ),
})
