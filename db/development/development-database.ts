/** Ways to get a server that can be picked by hand. */
export type DatabaseProvider = 'docker' | 'local'

export interface FindOptions {
  /** DATABASE_URL, when set: taken as it is, nothing is started. */
  url?: string | undefined
  /** POINTWISE_DATABASE: picks a way by hand. */
  provider?: DatabaseProvider | undefined
  /** Where data and logs lie, such as `.pointwise` in the repository. Made when it is missing. */
  directory: string
  /** Data that is kept for the next start, or a fresh server whose data is deleted at the end. */
  keep: boolean
  /** Name of the database in the returned URL. It need not exist on the server: creating it is the caller's business. */
  database: string
  /** Progress, one line a call. */
  print: (line: string) => void
}

export interface DevelopmentDatabase {
  /** `mysql://root@127.0.0.1:<port>/<database>`, or the URL that was given. */
  url: string
  /** One line that says what was taken, such as "mariadbd 10.11.19, run privately on port 40123". */
  description: string
  /** Where its data lies, in words for a person: a folder, a Docker volume, or the URL's host. */
  location: string
  /** Stops what was started, and resolves when it has ended. A second call waits for the first. */
  stop(): Promise<void>
}
