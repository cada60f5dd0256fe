import { once } from 'node:events'
import { type AddressInfo, connect, createServer, type Socket } from 'node:net'

const HEADER = 4
const COM_QUERY = 3

/** What befalls a statement on its way to the database. */
export type Fault =
  /** The connection is cut before the database has seen the statement. */
  | 'cut before'
  /** The connection is cut when the database has answered, and the answer is lost. */
  | 'cut after'
  /** The statement is lost, and nothing passes any more in either direction, as when a cable is pulled. */
  | 'drop'
  /** The database carries the statement out, and its answer never comes. */
  | 'hang'
  /** All connections are cut, before or after the database has seen the statement, and new ones are turned away. */
  | 'unplug before'
  | 'unplug after'
  /** The statement is kept back until then. */
  | { until: Promise<unknown> }
  /** The database answers with this error; what it then does by itself, such as the rollback after a deadlock, it does. */
  | { errno: number }

/** Which statements. */
export type Where = RegExp | ((statement: string) => boolean)

interface Planted {
  fault: Fault
  where: Where
  times: number
  struck: number
}

export interface FaultProxy extends AsyncDisposable {
  /** The address of the database behind the proxy. */
  url: string
  /** The statements of every query that came, those that travelled together in one list. */
  queries: string[][]
  /** Plants a fault that strikes some times, once where nothing is said; returns how often it has struck. */
  plant: (fault: Fault, where: Where, times?: number) => () => number
  /** Takes all faults away. */
  clear: () => void
  unplug: () => void
  /** Connections are accepted, and nothing is ever said on them. */
  mute: () => void
  plugIn: () => void
  isPlugged: () => boolean
  /** Closes the proxy and everything that is open through it. */
  close: () => Promise<void>
}

/**
 * Passes connections to a database on, byte for byte, but for the faults that are planted. What a connection does while one
 * of its statements is kept back is not looked at: nobody sends a statement before the last one was answered.
 */
export async function faultProxy(url: string): Promise<FaultProxy> {
  const { hostname, port } = new URL(url)
  const sockets = new Set<Socket>()
  const queries: string[][] = []
  let planted: Planted[] = []
  let state: 'plugged' | 'unplugged' | 'mute' = 'plugged'

  const unplug = () => {
    state = 'unplugged'
    for (const socket of sockets) socket.destroy()
  }

  /** The fault that befalls one of these statements, and which. */
  function strike(statements: string[]): { fault: Fault; index: number } | undefined {
    let first: { fault: Fault; index: number } | undefined
    for (const [index, statement] of statements.entries()) {
      for (const each of planted) {
        if (first || each.struck >= each.times || !isMeant(each.where, statement)) continue
        each.struck++
        first = { fault: each.fault, index }
      }
    }
    return first
  }

  const server = createServer((client) => {
    if (state === 'unplugged') client.destroy()
    if (state === 'mute') {
      sockets.add(client)
      client.on('error', () => undefined)
    }
    if (state !== 'plugged') return
    const database = connect({ port: Number(port || 3306), host: hostname, noDelay: true })
    client.setNoDelay()
    const cut = () => {
      client.destroy()
      database.destroy()
    }
    for (const socket of [client, database]) {
      sockets.add(socket)
      socket.on('error', cut).on('close', () => {
        sockets.delete(socket)
        cut()
      })
    }
    let answers: 'pass' | 'vanish' | (() => void) = 'pass'
    let isDead = false
    const packets = splitPackets((packet) => {
      if (isDead) return
      const query = readQuery(packet)
      if (!query) {
        database.write(packet)
        return
      }
      queries.push(query.statements)
      const { fault, index = 0 } = strike(query.statements) ?? {}
      if (fault === undefined) database.write(packet)
      else if (fault === 'cut before') cut()
      else if (fault === 'unplug before') unplug()
      else if (fault === 'drop') {
        isDead = true
        answers = 'vanish'
      } else if (typeof fault === 'string') {
        answers = { hang: 'vanish' as const, 'cut after': cut, 'unplug after': unplug }[fault]
        database.write(packet)
      } else if ('until' in fault) void fault.until.then(() => database.write(packet))
      else database.write(query.with([...query.statements.slice(0, index), ...failing(fault.errno)]))
    })
    client.on('data', packets)
    database.on('data', (chunk) => {
      if (answers === 'pass') client.write(chunk)
      else if (answers !== 'vanish') answers()
    })
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const proxied = new URL(url)
  proxied.hostname = '127.0.0.1'
  proxied.port = String((server.address() as AddressInfo).port)
  const close = async () => {
    unplug()
    if (!server.listening) return
    server.close()
    await once(server, 'close')
  }
  return {
    url: proxied.href,
    queries,
    plant(fault, where, times = 1) {
      const one = { fault, where, times, struck: 0 }
      planted.push(one)
      return () => one.struck
    },
    clear: () => {
      planted = []
    },
    unplug,
    mute: () => {
      state = 'mute'
    },
    plugIn: () => {
      state = 'plugged'
    },
    isPlugged: () => state === 'plugged',
    close,
    [Symbol.asyncDispose]: close,
  }
}

const isMeant = (where: Where, statement: string) =>
  typeof where === 'function' ? where(statement) : where.test(statement)

/** Collects bytes until they are whole packets: a length of three bytes, a number in the dialogue, and a body. */
function splitPackets(take: (packet: Buffer) => void): (chunk: Buffer) => void {
  let rest: Buffer = Buffer.alloc(0)
  return (chunk) => {
    rest = rest.length > 0 ? Buffer.concat([rest, chunk]) : chunk
    while (rest.length >= HEADER) {
      const end = HEADER + rest.readUIntLE(0, 3)
      if (rest.length < end) return
      take(rest.subarray(0, end))
      rest = rest.subarray(end)
    }
  }
}

/** A command begins a dialogue: its number is 0. MySQL, and not MariaDB, is told first that no attributes come. */
function readQuery(packet: Buffer) {
  if (packet[3] !== 0 || packet[HEADER] !== COM_QUERY) return undefined
  const start = packet[HEADER + 1] === 0 ? HEADER + 3 : HEADER + 1
  return {
    statements: packet.toString('utf8', start).split(';\n'),
    with(statements: string[]): Buffer {
      const body = Buffer.concat([packet.subarray(HEADER, start), Buffer.from(statements.join(';\n'))])
      const header = Buffer.alloc(HEADER)
      header.writeUIntLE(body.length, 0, 3)
      return Buffer.concat([header, body])
    },
  }
}

const ROLLS_BACK = new Set([1213, 1020])

/** What makes a server fail with this error. After a deadlock the transaction is over, and the session goes on without. */
function failing(errno: number): string[] {
  const signal = `signal sqlstate 'HY000' set mysql_errno = ${errno}, message_text = 'planted'`
  return ROLLS_BACK.has(errno) ? ['rollback', signal] : [signal]
}
