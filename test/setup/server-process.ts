import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import { expectNoSecrets } from './log-secrets.ts'

const MAIN = fileURLToPath(new URL('../../server/src/main.ts', import.meta.url))

/** The server as a separate process, whose environment contains only the given variables. */
export class ServerProcess implements AsyncDisposable {
  readonly child: ChildProcess
  stdout = ''
  stderr = ''
  readonly #ended: Promise<unknown[]>

  constructor(env: Record<string, string | undefined>) {
    const { PATH, NODE_COMPILE_CACHE } = process.env
    this.child = spawn(process.execPath, [MAIN], {
      env: { PATH, NODE_COMPILE_CACHE, ...env },
      stdio: ['ignore', 'pipe', 'pipe'],
    })
    this.child.stdout?.setEncoding('utf8').on('data', (text) => {
      this.stdout += text
    })
    this.child.stderr?.setEncoding('utf8').on('data', (text) => {
      this.stderr += text
    })
    this.#ended = once(this.child, 'close')
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.child.kill('SIGKILL')
    await this.#ended
    expectNoSecrets(this.stdout.split('\n').filter((line) => line.startsWith('{"level":')))
  }

  /** Its exit code, or the signal that ended it. */
  async exitCode(): Promise<unknown> {
    const [code, signal] = await this.#ended
    return code ?? signal
  }

  /** Its URL. Resolves when its log reports that it listens. */
  async url(): Promise<string> {
    for (;;) {
      const url = /Server listening at (http:[^"]+)"/.exec(this.stdout)?.[1]
      if (url) return url
      const event = await Promise.race([this.#ended.then(() => 'end'), once(this.child.stdout ?? this.child, 'data')])
      if (event === 'end') throw new Error(`The server exited before it listened: ${this.stderr}`)
    }
  }
}
