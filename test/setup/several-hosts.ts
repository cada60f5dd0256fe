import { type FaultProxy, faultProxy } from './fault-proxy.ts'

export interface SeveralHosts extends AsyncDisposable {
  /** A database URL that names every host. */
  url: string
  hosts: FaultProxy[]
}

/** Returns a URL that names the hosts of several URLs, which are otherwise equal. */
export function urlOfHosts(urls: readonly string[]): string {
  const [first = ''] = urls
  return first.replace(new URL(first).host, urls.map((url) => new URL(url).host).join(','))
}

/**
 * Opens several hosts of one database, each a fault proxy. All are on one server, so they have the same data, as after a failover
 * that loses nothing. The first host takes writes; the others are read-only.
 */
export async function openSeveralHosts(url: string, count = 3): Promise<SeveralHosts> {
  const hosts = await Promise.all(Array.from({ length: count }, () => faultProxy(url)))
  for (const replica of hosts.slice(1)) replica.setReadOnly(true)
  return {
    url: urlOfHosts(hosts.map((host) => host.url)),
    hosts,
    async [Symbol.asyncDispose]() {
      await Promise.all(hosts.map((host) => host.close()))
    },
  }
}

/** Makes a host report that it is a node of a Galera cluster. */
export function asGaleraNode(host: FaultProxy): void {
  host.rewrite(/show global variables like 'wsrep_on'/, "select 'wsrep_on' as Variable_name, 'ON' as Value")
}
