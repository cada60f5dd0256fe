import { Admin, Connection, describeQuorumV2 } from '@platformatic/kafka'

export interface ClusterState {
  /** The node that manages the cluster. */
  controller: number
  /** The nodes that lead partitions of the topic. */
  leaders: number[]
  /** For each partition of the topic, how many replicas are in sync. */
  inSync: number[]
}

/** Reads the state of a cluster, of which a broker may be gone. */
export async function readClusterState(brokers: string[], topic: string): Promise<ClusterState> {
  const admin = new Admin({ clientId: 'cluster-state', bootstrapBrokers: brokers, retries: 3, retryDelay: 100 })
  try {
    const metadata = await admin.metadata({ topics: [topic], forceUpdate: true })
    const partitions = metadata.topics.get(topic)?.partitions ?? []
    const [broker] = metadata.brokers.values()
    if (!broker) throw new Error('The cluster has no broker.')
    return {
      controller: await controllerOf(broker),
      leaders: [...new Set(partitions.map(({ leader }) => leader))],
      inSync: partitions.map(({ isr }) => isr.length),
    }
  } finally {
    await admin.close()
  }
}

/** The metadata of a broker names a random node as the controller. */
async function controllerOf({ host, port }: { host: string; port: number }): Promise<number> {
  const connection = new Connection('cluster-state')
  try {
    await connection.connect(host, port)
    const request = [{ topicName: '__cluster_metadata', partitions: [{ partitionIndex: 0 }] }]
    const { topics } = await describeQuorumV2.api.async(connection, request)
    return topics[0]?.partitions[0]?.leaderId ?? -1
  } finally {
    await connection.close()
  }
}
