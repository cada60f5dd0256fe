import { fileURLToPath } from 'node:url'

/** The directory of the embedded mode: database files, JWT secret, `server.json` and storefront builds. */
export const DATA_DIRECTORY = fileURLToPath(new URL('../../../.pointwise', import.meta.url))
