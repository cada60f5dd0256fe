/** The database server or its account does not meet the requirements. */
export class ServerError extends Error {
  override readonly name = 'ServerError'

  /** @param problems what was found, what is needed and what mends it, one line each */
  constructor(problems: string[]) {
    super(`This database server cannot be used:\n${problems.map((problem) => `- ${problem}`).join('\n')}`)
  }
}

/** Variables that make a server reject writes. A replica has them. */
export const READ_ONLY_VARIABLES = ['read_only', 'super_read_only', 'innodb_read_only']

/** Returns the statement that changes a global variable. MariaDB cannot store it for its next start. */
export function mend(version: string, variable: string, value: string): string {
  return version.includes('MariaDB')
    ? `SET GLOBAL ${variable} = ${value}; (and set it in the option file)`
    : `SET PERSIST ${variable} = ${value};`
}

/** Quotes the result of `current_user()`, as GRANT expects it. */
export function quoteAccount(account: string): string {
  const at = account.lastIndexOf('@')
  const quote = (text: string) => `'${text.replaceAll("'", "''")}'`
  return `${quote(account.slice(0, at))}@${quote(account.slice(at + 1))}`
}

export const quoteName = (name: string): string => `\`${name.replaceAll('`', '``')}\``

/** What an account needs to migrate the database and to use it afterwards. */
export const PRIVILEGES = 'SELECT, INSERT, UPDATE, CREATE, ALTER, INDEX, REFERENCES'
