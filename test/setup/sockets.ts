import { once } from 'node:events'
import { connect, type Socket } from 'node:net'

export interface RawSocket {
  socket: Socket
  /** The text received so far. */
  read: () => string
  /** Resolves when either side has closed the connection. */
  closed: Promise<unknown>
}

/** A connection on which a test writes raw requests. */
export async function openSocket({ url }: { url: string }): Promise<RawSocket> {
  const socket = connect(Number(new URL(url).port), '127.0.0.1')
  let text = ''
  socket.setEncoding('utf8').on('data', (part: string) => {
    text += part
  })
  const closed = new Promise((done) => socket.on('close', done))
  // A reset connection also emits 'close'.
  socket.on('error', () => undefined)
  await once(socket, 'connect')
  return { socket, read: () => text, closed }
}
