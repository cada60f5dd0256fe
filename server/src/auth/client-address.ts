import { isIP, isIPv4, SocketAddress } from 'node:net'

/** The network of all clients whose address is not known. */
const UNKNOWN = 'unknown'
/** The longest entry that can contain an address: IPv6 in brackets, with a zone and a port. */
const ENTRY_LENGTH_MAX = 100
/** The prefixes of the IPv6 forms of an IPv4 address: IPv4-mapped (RFC 4291), and translated by a NAT64 (RFC 6052). */
const IPV4_PREFIXES = ['0:0:0:0:0:ffff', '64:ff9b:0:0:0:0']

/**
 * Returns the network that a client is counted as, from an address or an entry of `X-Forwarded-For`, which can have brackets,
 * a port and a zone. An IPv6 address counts as its /64 network, because a client usually controls all addresses of one. An
 * IPv4 address counts as itself, also when it is written as IPv6 (`::ffff:192.0.2.1`). All clients whose entry contains no
 * address (such as `unknown` or `_hidden`) count as one, because a proxy may generate such an entry for each request.
 */
export function clientNetwork(entry: string | undefined): string {
  const address = addressIn(entry ?? '')
  if (address === undefined) return UNKNOWN
  if (isIPv4(address)) return address
  const groups = groupsOf(address)
  if (IPV4_PREFIXES.includes(groups.slice(0, 6).join(':'))) return ipv4Of(groups)
  return `${groups.slice(0, 4).join(':')}::/64`
}

/** Returns the IP address of an entry, without quotes, brackets, port and zone. */
function addressIn(entry: string): string | undefined {
  if (entry.length > ENTRY_LENGTH_MAX) return undefined
  const text = entry.trim().replace(/^"(.*)"$/, '$1')
  const [, bracketed] = /^\[([^\]]*)\](?::\d*)?$/.exec(text) ?? []
  const [, ipv4] = /^([\d.]+):\d*$/.exec(text) ?? []
  const [address = ''] = (bracketed ?? ipv4 ?? text).split('%')
  return isIP(address) > 0 ? address : undefined
}

/** The eight groups of an IPv6 address, in lower-case hexadecimal without leading zeros. */
function groupsOf(address: string): string[] {
  // The last 32 bits can be written as an IPv4 address, also by SocketAddress.
  const { address: shortest } = new SocketAddress({ address, family: 'ipv6' })
  const hexadecimal = shortest.replace(/(\d+)\.(\d+)\.(\d+)\.(\d+)$/, (_, ...bytes: string[]) => {
    const [a = 0, b = 0, c = 0, d = 0] = bytes.slice(0, 4).map(Number)
    return `${(a * 256 + b).toString(16)}:${(c * 256 + d).toString(16)}`
  })
  const [before = [], after = []] = hexadecimal.split('::').map((part) => part.split(':').filter(Boolean))
  return [...before, ...Array<string>(8 - before.length - after.length).fill('0'), ...after]
}

function ipv4Of(groups: string[]): string {
  return groups
    .slice(6)
    .map((group) => Number.parseInt(group, 16))
    .flatMap((value) => [value >> 8, value & 255])
    .join('.')
}
