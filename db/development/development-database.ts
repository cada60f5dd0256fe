/** Where a database server can be started. */
export type DatabaseProvider = 'docker' | 'local'

export interface FindOptions {
  /** The value of DATABASE_URL. If set, it is used unchanged and nothing is started. */
  url?: string | undefined
  /** The value of POINTWISE_DATABASE. If set, only this provider is tried. */
  provider?: DatabaseProvider | undefined
  /** Directory for data and logs, such as `.pointwise` in the repository. It is created if it does not exist. */
  directory: string
  /** true: the data is reused by the next start. false: a new server, whose data is deleted when it stops. */
  keep: boolean
  /** Name of the database in the returned URL. It may not exist on the server yet; the caller creates it. */
  database: string
  /** Further arguments of a private server. They take precedence over its other settings. */
  settings?: readonly string[]
  /** Called with each line of progress. */
  print: (line: string) => void
}

export interface DevelopmentDatabase {
  /** `mysql://root@<host>:<port>/<database>`, or `FindOptions.url`. */
  url: string
  /** One line that describes the server, such as "private mariadbd 10.11.19 on port 40123". */
  description: string
  /** Human-readable location of the data: a directory, a Docker volume, or the host of the URL. */
  location: string
  /** Stops the server if it was started here, and resolves when it has exited. A second call waits for the first. */
  stop(): Promise<void>
}
