import { once } from 'node:events'
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net'
import { isPing, readQuery, refusal, splitPackets } from './mysql-packets.ts'
import { Rewritings } from './rewritings.ts'

/** What happens to a statement on its way to the database. */
export type Fault =
  /** The connection is closed before the database receives the statement. */
  | 'disconnect before'
  /** The connection is closed after the database has answered, and the response is lost. */
  | 'disconnect after'
  /**
   * The statement is lost, and no packet passes in either direction any more, as with a broken network route. The database
   * does not learn that the client has closed the connection.
   */
  | 'blackhole'
  /** The database executes the statement, and its response never arrives. */
  | 'hang'
  /** All connections are closed, before or after the database receives the statement, and new ones are refused. */
  | 'disable before'
  | 'disable after'
  /** The statement is delayed until the promise settles. */
  | { until: Promise<unknown> }
  /** The database fails with this error, including its side effects, such as the rollback after a deadlock. */
  | { errno: number; message?: string }
  /** The database receives this statement instead. */
  | { replacedBy: string }

/** Selects the statements that a fault applies to. */
export type StatementFilter = RegExp | ((statement: string) => boolean)

interface Injection {
  fault: Fault
  filter: StatementFilter
  times: number
  applied: number
}

export interface FaultProxy extends AsyncDisposable {
  /** The address of the database through the proxy. */
  url: string
  /** The statements of every query that was received; statements that were sent in one packet share a list. */
  queries: string[][]
  /** Injects a fault a number of times, by default once. Returns a function that counts how often it was applied. */
  inject: (fault: Fault, filter: StatementFilter, times?: number) => () => number
  /**
   * Changes the text of every statement, as `String.replace` does, so that the database does something other than what the client
   * has asked for. Returns a function that counts the statements that were changed.
   */
  rewrite: (pattern: RegExp, replacement: string) => () => number
  /** How many PINGs were received. */
  pings: () => number
  /**
   * Breaks the route of every open connection, as a firewall does that forgets them: packets are lost in both directions, and
   * neither side learns that the other has closed the connection. New connections work. Returns how many were open.
   */
  forget: () => number
  /** Removes all faults and rewritings. */
  clear: () => void
  /** Closes all connections, and refuses new ones. */
  disable: () => void
  /** Accepts new connections, and never answers on them. */
  stall: () => void
  /** Answers connections with this error, as a server does that refuses them: all of them, or only new ones. */
  refuse: (errno: number, which?: 'all' | 'new') => void
  /** Rejects writes, and reports that the variable `read_only` is on, as a replica does. Or no longer does. */
  setReadOnly: (isReadOnly: boolean) => void
  /** How many connections were accepted. */
  connections: () => number
  /** How many sockets are open: one for each connection that was never answered, and two for each one that is passed on. */
  openSockets: () => number
  /** Passes new connections on again. */
  enable: () => void
  isEnabled: () => boolean
  /** Closes the proxy and all connections through it. */
  close: () => Promise<void>
}

/** What happens to new connections. */
type State = 'enabled' | 'disabled' | 'stalled' | { errno: number }

/**
 * A TCP proxy in front of a database that passes packets on unchanged, except where a fault is injected. The proxy does not
 * support a client that sends a statement before the previous one is answered.
 */
export async function faultProxy(url: string): Promise<FaultProxy> {
  const { hostname, port } = new URL(url)
  const sockets = new Set<Socket>()
  const queries: string[][] = []
  let injections: Injection[] = []
  const rewritings = new Rewritings()
  const routes = new Set<Route>()
  let pings = 0
  let connections = 0
  let isReadOnly = false
  let state: State = 'enabled'

  const change = (next: State, open: 'keep' | 'close') => {
    state = next
    if (open === 'close') for (const socket of sockets) socket.destroy()
  }
  const disable = () => change('disabled', 'close')

  const server = createServer((client) => {
    connections++
    if (state !== 'enabled') return refuseClient(sockets, client, state)
    const database = connect({ port: Number(port || 3306), host: hostname, noDelay: true })
    const route: Route = { isBroken: false }
    routes.add(route)
    client.on('close', () => routes.delete(route))
    track(sockets, client.setNoDelay(), database, route)
    passOn(client, database, route, {
      disable,
      onPing: () => pings++,
      take: (statements) => {
        queries.push(statements)
        return takeFault(injections, statements) ?? (isReadOnly ? asReplica(statements) : undefined)
      },
      rewrite: (statement) => rewritings.apply(statement),
    })
  })
  const proxied = await listen(server, url)
  const close = async () => {
    disable()
    if (!server.listening) return
    server.close()
    await once(server, 'close')
  }
  return {
    url: proxied,
    queries,
    inject: (fault, filter, times = 1) => addInjection(injections, { fault, filter, times, applied: 0 }),
    rewrite: (pattern, replacement) => rewritings.add(pattern, replacement),
    clear: () => {
      injections = []
      rewritings.clear()
    },
    pings: () => pings,
    forget: () => breakAll(routes),
    disable,
    stall: () => change('stalled', 'keep'),
    refuse: (errno, which = 'all') => change({ errno }, which === 'all' ? 'close' : 'keep'),
    setReadOnly: (next) => {
      isReadOnly = next
    },
    connections: () => connections,
    openSockets: () => sockets.size,
    enable: () => change('enabled', 'keep'),
    isEnabled: () => state === 'enabled',
    close,
    [Symbol.asyncDispose]: close,
  }
}

/** Listens on a free port, and returns the URL of the database with that port. */
async function listen(server: Server, url: string): Promise<string> {
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const proxied = new URL(url)
  proxied.hostname = '127.0.0.1'
  proxied.port = String((server.address() as AddressInfo).port)
  return proxied.href
}

/** Closes a new connection, refuses it, or never answers it. */
function refuseClient(sockets: Set<Socket>, client: Socket, state: Exclude<State, 'enabled'>): void {
  sockets.add(client)
  client.on('error', () => undefined).on('close', () => sockets.delete(client))
  // Without reading, the end of the connection would not be noticed.
  client.resume()
  if (state === 'disabled') client.destroy()
  if (typeof state === 'object') client.end(refusal(state.errno))
}

/** The way between a client and the database. */
interface Route {
  isBroken: boolean
}

function breakAll(routes: ReadonlySet<Route>): number {
  for (const route of routes) route.isBroken = true
  return routes.size
}

/** Closes each side of a connection with the other, unless the route between them is broken. */
function track(sockets: Set<Socket>, client: Socket, database: Socket, route: Route): void {
  for (const [socket, other] of [
    [client, database],
    [database, client],
  ] as const) {
    const close = () => {
      sockets.delete(socket)
      socket.destroy()
      if (!route.isBroken) other.destroy()
    }
    sockets.add(socket)
    socket.on('error', close).on('close', close)
  }
}

interface Interception {
  disable: () => void
  onPing: () => void
  /** Records the statements of a query, and returns the fault to apply to it. */
  take: (statements: string[]) => AppliedFault | undefined
  rewrite: (statement: string) => string
}

function passOn(client: Socket, database: Socket, route: Route, interception: Interception): void {
  const { disable, onPing, take, rewrite } = interception
  const disconnect = () => client.destroy()
  let responses: 'pass' | 'discard' | (() => void) = 'pass'
  const onPacket = (packet: Buffer) => {
    if (isPing(packet)) onPing()
    if (route.isBroken) return
    const query = readQuery(packet)
    const { fault, index = 0 } = (query && take(query.statements)) ?? {}
    if (!query) database.write(packet)
    else if (fault === undefined) database.write(query.with(query.statements.map(rewrite)))
    else if (fault === 'disconnect before') disconnect()
    else if (fault === 'disable before') disable()
    else if (fault === 'blackhole') route.isBroken = true
    else if (typeof fault === 'string') {
      responses = { hang: 'discard' as const, 'disconnect after': disconnect, 'disable after': disable }[fault]
      database.write(packet)
    } else if ('until' in fault) void fault.until.then(() => database.write(packet))
    else if ('replacedBy' in fault) database.write(query.with(query.statements.with(index, fault.replacedBy)))
    else database.write(query.with([...query.statements.slice(0, index), ...failing(fault.errno, fault.message)]))
  }
  client.on('data', splitPackets(onPacket))
  database.on('data', (chunk) => {
    if (route.isBroken) return
    if (responses === 'pass') client.write(chunk)
    else if (responses !== 'discard') responses()
  })
}

interface AppliedFault {
  fault: Fault
  /** The index of the statement that the fault applies to, among those of its packet. */
  index: number
}

/** Returns a function that counts how often the injection was applied. */
function addInjection(injections: Injection[], injection: Injection): () => number {
  injections.push(injection)
  return () => injection.applied
}

/** The first fault that applies to one of these statements. Counts it as applied. */
function takeFault(injections: Injection[], statements: string[]): AppliedFault | undefined {
  let first: AppliedFault | undefined
  for (const [index, statement] of statements.entries()) {
    for (const injection of injections) {
      if (first || injection.applied >= injection.times || !matches(injection.filter, statement)) continue
      injection.applied++
      first = { fault: injection.fault, index }
    }
  }
  return first
}

/** How a replica responds to these statements, if not as the primary does. */
function asReplica(statements: string[]): AppliedFault | undefined {
  for (const [index, statement] of statements.entries()) {
    if (/^(insert|update|delete)\b/.test(statement)) return { fault: { errno: 1290 }, index }
    if (statement === 'commit') {
      return { fault: { replacedBy: ['rollback', ...failing(1290)].join(';\n') }, index }
    }
    if (/^show global variables where variable_name in \('read_only'/.test(statement)) {
      return { fault: { replacedBy: "select 'read_only' as Variable_name, 'ON' as Value" }, index }
    }
  }
  return undefined
}

const matches = (filter: StatementFilter, statement: string) =>
  typeof filter === 'function' ? filter(statement) : filter.test(statement)

const ROLLS_BACK = new Set([1213, 1020])

/** Statements that make a server fail with this error. A deadlock ends the transaction; the session stays open. */
function failing(errno: number, message = 'injected'): string[] {
  const signal = `signal sqlstate 'HY000' set mysql_errno = ${errno}, message_text = '${message}'`
  return ROLLS_BACK.has(errno) ? ['rollback', signal] : [signal]
}
