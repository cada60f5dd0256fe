const HEADER_BYTES = 4
const COM_QUERY = 3
const COM_PING = 14

/** Collects bytes into whole packets: a length of three bytes, a sequence number, and a body. */
export function splitPackets(onPacket: (packet: Buffer) => void): (chunk: Buffer) => void {
  let rest: Buffer = Buffer.alloc(0)
  return (chunk) => {
    rest = rest.length > 0 ? Buffer.concat([rest, chunk]) : chunk
    while (rest.length >= HEADER_BYTES) {
      const end = HEADER_BYTES + rest.readUIntLE(0, 3)
      if (rest.length < end) return
      onPacket(rest.subarray(0, end))
      rest = rest.subarray(end)
    }
  }
}

/** The packet with which a server refuses a connection, instead of its greeting. */
export function refusal(errno: number): Buffer {
  const body = Buffer.concat([Buffer.from([0xff, errno & 0xff, errno >> 8]), Buffer.from('refused')])
  return Buffer.concat([Buffer.from([body.length, 0, 0, 0]), body])
}

/** A command has the sequence number 0. */
const isCommand = (packet: Buffer, command: number) => packet[3] === 0 && packet[HEADER_BYTES] === command

/** MySQL, unlike MariaDB, expects the number of query attributes before the text. */
export function readQuery(packet: Buffer) {
  if (!isCommand(packet, COM_QUERY)) return undefined
  const start = packet[HEADER_BYTES + 1] === 0 ? HEADER_BYTES + 3 : HEADER_BYTES + 1
  return {
    statements: packet.toString('utf8', start).split(';\n'),
    with(statements: string[]): Buffer {
      const body = Buffer.concat([packet.subarray(HEADER_BYTES, start), Buffer.from(statements.join(';\n'))])
      const header = Buffer.alloc(HEADER_BYTES)
      header.writeUIntLE(body.length, 0, 3)
      return Buffer.concat([header, body])
    },
  }
}

export const isPing = (packet: Buffer): boolean => isCommand(packet, COM_PING)
