import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { findDatabase } from '@pointwise/db/development'
import type { TestProject } from 'vitest/node'

declare module 'vitest' {
  interface ProvidedContext {
    /** The URL of this run's database server, without a database name. */
    databaseServer: string
  }
}

/** Starts one database server for the run. Every worker creates its own databases on it. */
export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  const { DATABASE_URL: url, POINTWISE_DATABASE: provider } = process.env
  if (provider !== undefined && provider !== 'docker' && provider !== 'local') {
    throw new Error('POINTWISE_DATABASE must be docker or local.')
  }
  const directory = fileURLToPath(new URL('../../.pointwise', import.meta.url))
  // The tests start dozens of Node processes, which share compiled code.
  process.env.NODE_COMPILE_CACHE ??= join(directory, 'compile-cache')
  const database = await findDatabase({
    url,
    provider,
    directory,
    keep: false,
    database: 'pointwise_test',
    print: (line) => process.stdout.write(`${line}\n`),
  })
  process.stdout.write(`Tests run on ${database.description}.\n`)
  project.provide('databaseServer', database.url)
  return database.stop
}
