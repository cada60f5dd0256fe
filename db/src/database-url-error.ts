/** A database URL is not valid. No message contains a part of the URL that could belong to a password. */
export class DatabaseUrlError extends Error {
  override readonly name = 'DatabaseUrlError'
  /** What is wrong and what to do, as a clause whose subject is the URL: "names no host; write it as in …". */
  readonly problem: string

  constructor(problem: string) {
    super(`The database URL ${problem}.`)
    this.problem = problem
  }
}
