/** Whether the version is that of Vitess, whose parser accepts fewer statements than MySQL's. */
export const isVitess = (version: string): boolean => version.includes('Vitess')

const OTHER_SERVER = 'Set DATABASE_URL to a MySQL or MariaDB server.'

/** Returns a line if the version is not supported. */
export function versionProblems(version: string): string[] {
  if (isSupported(version)) return []
  const remedy = version.includes('TiDB')
    ? `TiDB is not supported: with SKIP LOCKED it returns rows that another session has locked. ${OTHER_SERVER}`
    : 'Upgrade the server.'
  return [`The version is ${version}. Expected MySQL 8.4 or later, or MariaDB 10.11 or later. ${remedy}`]
}

function isSupported(version: string): boolean {
  const [major = 0, minor = 0] = version.split('.').map(Number.parseFloat)
  const [minMajor, minMinor] = version.includes('MariaDB') ? [10, 11] : [8, 4]
  return major > minMajor || (major === minMajor && minor >= minMinor)
}

/** Returns the line for a server that rejects a setting of a session. */
export function settingProblem(statement: string, message: string): string {
  return `The server rejects \`${statement}\`: ${message}. Expected a server that accepts what MySQL and MariaDB accept. ${OTHER_SERVER}`
}
