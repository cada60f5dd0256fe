import type { DevelopmentDatabase } from '@pointwise/db/development'
import type { DemoTokens } from './demo-tokens.ts'

interface BannerOptions {
  url: string
  database: DevelopmentDatabase
  tokens: DemoTokens
  /** Whether this start created the demo data. */
  isNew: boolean
  /** Whether the storefront and the API reference are served. */
  hasPages: boolean
}

/** Returns the text that a newcomer reads in the terminal when the embedded server is listening. */
export function banner({ url, database, tokens, isNew, hasPages }: BannerOptions): string {
  const { userName, userToken, adminToken } = tokens
  const lines = [
    ...(hasPages ? [`  storefront   ${url}`, `  API          ${url}/reference`] : []),
    `  database     ${database.description}`,
    `  data         ${database.location}${isNew ? ' (new: 3 stores, 500 products, 5 users with points)' : ''}`,
    ...(userToken === undefined ? [] : [`  user token   ${userToken}`, `               (${userName})`]),
    `  admin token  ${adminToken}`,
  ]
  const example =
    userToken === undefined
      ? `curl -s ${url}/trpc/products.list`
      : `curl -s ${url}/trpc/points.balance -H 'authorization: Bearer ${userToken}'`
  return `
Pointwise is running at ${url}

${lines.join('\n')}

Try it:

  ${example}

or run npm run demo in a second terminal. Ctrl-C stops the server and its database.
`
}
