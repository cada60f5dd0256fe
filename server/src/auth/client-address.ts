import { isIPv6, SocketAddress } from 'node:net'

const ADDRESS_LENGTH_MAX = 45

/**
 * Returns the network that a client address is counted as. An IPv6 address counts as its /64 network, because a client
 * usually controls all addresses of one. An IPv4 address counts as itself, also when it is written as IPv6
 * (`::ffff:192.0.2.1`). Any other text is returned unchanged, cut to the length of the longest address.
 */
export function clientNetwork(address: string): string {
  if (!isIPv6(address)) return address.slice(0, ADDRESS_LENGTH_MAX)
  const [unzoned = ''] = address.split('%')
  const { address: shortest } = new SocketAddress({ address: unzoned, family: 'ipv6' })
  const [, mapped] = /^::ffff:([\d.]+)$/.exec(shortest) ?? []
  if (mapped) return mapped
  const [head = '', tail] = shortest.split('::')
  const before = head.split(':').filter(Boolean)
  const after = (tail ?? '').split(':').filter(Boolean)
  const zeros = Array<string>(Math.max(0, 8 - before.length - after.length)).fill('0')
  return `${[...before, ...zeros, ...after].slice(0, 4).join(':')}::/64`
}
