import type { IForbiddenRuleType } from 'dependency-cruiser'

/** Each slice, and the slices whose services it may call. */
export const SLICES: Record<string, string[]> = {
  payments: ['orders', 'products', 'stores', 'points'],
  orders: ['products', 'stores'],
  products: ['stores'],
  stores: [],
  users: ['points'],
  points: [],
  audit: [],
}

const SLICE = `(?:${Object.keys(SLICES).join('|')})`
const SERVICE = '(?!router\\.|examples\\.|check-catalogue\\.|id-bitmap\\.|.*schemas\\.|.*queries)'

/** From the process to the foundation. A file imports only files of its own layer and of the layers below. */
export const LAYERS: { name: string; files: string }[] = [
  {
    name: 'processes',
    files: '^server/(scripts/|src/(main|index|close-on-signal|describe-error)\\.ts$|src/embedded/)',
  },
  { name: 'application', files: '^server/src/((app|caller)\\.ts$|http/|openapi/|asyncapi/)' },
  { name: 'router', files: '^server/src/router\\.ts$' },
  { name: 'slice routers', files: `^server/src/${SLICE}/router\\.ts$` },
  {
    name: 'procedures',
    files:
      '^server/src/(rpc/(procedures|idempotency-key-header|subscription|init|meta|errors|context)\\.ts$|auth/|config(-values)?\\.ts$)',
  },
  { name: 'subscriptions', files: '^server/src/subscriptions/' },
  { name: 'services', files: `^server/src/${SLICE}/${SERVICE}` },
  { name: 'relay', files: '^server/src/relay/' },
  { name: 'outbox', files: '^server/src/outbox/(?!event-schemas\\.|examples\\.)' },
  { name: 'queries', files: `^server/src/${SLICE}/(queries/|settlement/)?[\\w-]*queries\\.ts$` },
  { name: 'redis', files: '^server/src/redis/' },
  {
    name: 'foundation',
    files: `^server/src/((refusals|cache)\\.ts$|rpc/(transactions|cursor|transformer|schemas|names)\\.ts$|outbox/(event-schemas|examples)\\.ts$|${SLICE}/(examples|check-catalogue|id-bitmap|[\\w-]*schemas)\\.ts$)`,
  },
]

const inLayer = (...names: string[]) => LAYERS.filter(({ name }) => names.includes(name)).map(({ files }) => files)

/** A type-only import from a higher layer is a violation as well, with the exceptions of `pathNot`. */
const layerRules = LAYERS.slice(1).map(
  ({ name, files }, index): IForbiddenRuleType => ({
    name: `${name} import no higher layer`,
    from: { path: files, pathNot: '/settlement/write-queries\\.ts$' },
    to: { path: LAYERS.slice(0, index + 1).map((layer) => layer.files) },
  }),
)

const sliceRules = Object.entries(SLICES).flatMap(([slice, callable]): IForbiddenRuleType[] => [
  {
    name: `${slice} calls only the slices after it`,
    from: { path: `^server/src/${slice}/` },
    to: { path: `^server/src/${SLICE}/`, pathNot: `^server/src/(${[slice, ...callable].join('|')})/` },
  },
  {
    name: `only the services of ${slice} import its queries`,
    from: { path: '^server/', pathNot: inLayer('services', 'queries').map((files) => files.replace(SLICE, slice)) },
    to: { path: inLayer('queries').map((files) => files.replace(SLICE, slice)) },
  },
])

export const IMPORT_RULES: IForbiddenRuleType[] = [
  { name: 'no cycle, type-only imports included', from: {}, to: { circular: true } },
  { name: 'every import resolves', from: {}, to: { couldNotResolve: true } },
  ...layerRules,
  {
    name: 'settlement queries import only types from its services',
    from: { path: '/settlement/write-queries\\.ts$' },
    to: { path: inLayer('services'), dependencyTypesNot: ['type-only'] },
  },
  ...sliceRules,
  {
    name: 'services and queries reach neither tRPC nor Fastify',
    from: { path: inLayer('subscriptions', 'services', 'relay', 'outbox', 'queries') },
    to: {
      path: ['/node_modules/(@trpc|fastify|@fastify)/', '^node_modules/(@trpc|fastify|@fastify)/'],
      reachable: true,
    },
  },
  {
    name: 'services and queries do not validate input',
    // These files contain the output schema of a subscription next to the function that builds the output.
    from: { path: inLayer('subscriptions', 'services', 'relay', 'outbox', 'queries'), pathNot: '-changes\\.ts$' },
    to: { path: 'node_modules/zod/' },
  },
  {
    name: 'examples are values',
    from: { path: '/examples\\.ts$', pathNot: '^test/' },
    to: { pathNot: '/examples\\.ts$' },
  },
  {
    name: 'only queries and the settlement use Kysely',
    from: { path: '^server/', pathNot: [...inLayer('queries'), '^server/src/(outbox|relay)/queries\\.ts$'] },
    to: { path: 'node_modules/kysely/' },
  },
  { name: 'only db uses the driver', from: { path: '^(server|client-sdk)/' }, to: { path: 'node_modules/mysql2/' } },
  {
    name: 'only the connection to Redis uses its client',
    from: { path: '^(server|client-sdk)/', pathNot: '^server/src/redis/redis-connection\\.ts$' },
    to: { path: 'node_modules/ioredis/' },
  },
  {
    name: 'db imports no other package of the repository',
    from: { path: '^db/' },
    to: { path: '^(server|client-sdk|test)/' },
  },
  { name: 'shipped code imports no test', from: { pathNot: '^(test/|vitest)' }, to: { path: '^test/' } },
  {
    name: 'the SDK imports only types from the server',
    from: { path: '^client-sdk/' },
    to: { path: '^(server|db)/', dependencyTypesNot: ['type-only'] },
  },
  {
    name: 'the storefront uses the SDK as any frontend does',
    from: { path: '^client-sdk/example/storefront/src/' },
    to: {
      pathNot: [
        '^client-sdk/example/storefront/src/',
        '^client-sdk/src/index\\.ts$',
        'node_modules/(@types/)?(react|react-dom|@tanstack/react-query)/',
      ],
    },
  },
  {
    name: 'only its own page loads the API reference',
    from: { pathNot: '^server/src/http/web/api-reference\\.ts$' },
    to: { path: 'node_modules/@scalar/fastify-api-reference/' },
  },
  {
    name: 'pages for browsers are loaded on demand',
    from: { path: '^server/', pathNot: '^server/src/(http/web|embedded)/' },
    to: {
      path: '^server/src/(http/web/(api-reference|storefront)|embedded/build-storefront)\\.ts$',
      dependencyTypesNot: ['dynamic-import', 'type-only'],
    },
  },
].map((rule) => ({ severity: 'error', ...rule }) as IForbiddenRuleType)
