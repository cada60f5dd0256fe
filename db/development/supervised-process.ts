import { spawn } from 'node:child_process'
import { once } from 'node:events'
import type { Socket } from 'node:net'

/** How long a program may take to exit after its signal before it is killed, in seconds. */
const GRACE_PERIOD_S = 20

/**
 * A shell script that runs a program and stops it when standard input ends. The owner holds the other end of that pipe,
 * and the kernel closes it when the owner exits, also after SIGKILL. Arguments: signal, path to delete, when to delete
 * it, input file, then the program and its arguments. Each shell reaps its children, because the first process of a
 * container often does not.
 */
const SUPERVISOR = `
signal=$1 remove=$2 when=$3 input=$4; shift 4
exec 3<&0
"$@" <"$input" 3<&- &
program=$!
(
  read -r _ <&3
  trap 'kill "$!"; wait; exit' TERM
  kill -"$signal" "$program"
  seconds=0
  while [ "$seconds" -lt ${GRACE_PERIOD_S} ]; do sleep 1 & wait "$!"; seconds=$((seconds + 1)); done
  kill -KILL "$program"
) >/dev/null 2>&1 &
reader=$!
exec 3<&-
trap 'kill -TERM "$program"' HUP INT TERM
while :; do
  wait "$program"; status=$?
  kill -0 "$program" 2>/dev/null || break
done
if [ "$when" = always ] || { [ "$when" = failure ] && [ "$status" -ne 0 ]; }; then rm -rf -- "$remove"; fi
kill -TERM "$reader" 2>/dev/null
wait "$reader" 2>/dev/null
exit "$status"
`

export interface SuperviseOptions {
  /** File descriptor for its standard output and standard error. */
  output: number
  /** Path of the file for its standard input. Default: /dev/null. */
  input?: string
  /** Signal that stops it. Default: TERM. */
  signal?: 'TERM' | 'KILL'
  /**
   * What to delete after it has exited, always or after a failure. It is deleted also when the owner has exited before.
   */
  remove?: { path: string; when: 'always' | 'failure' }
}

export interface SupervisedProcess {
  /** Id of the supervising shell, which exits after the program. */
  pid: number
  /** Resolves with the exit status when the program has exited; -1 when the supervising shell was killed. */
  ended: Promise<number>
  /** Lets this process exit while the program is running. */
  unref(): void
  /** Stops the program and resolves when it has exited. */
  end(): Promise<void>
}

/**
 * Runs a program that is stopped when this process exits, for whatever reason. The program has a session of its own, so
 * Ctrl-C in the terminal does not reach it. This process does not exit while the program is running, unless `unref` is
 * called.
 *
 * @throws Error when the shell `sh` cannot be started.
 */
export function superviseProcess(
  command: string[],
  { output, input, signal = 'TERM', remove }: SuperviseOptions,
): SupervisedProcess {
  const args = [signal, remove?.path ?? '', remove?.when ?? 'never', input ?? '/dev/null', ...command]
  const child = spawn('sh', ['-c', SUPERVISOR, 'sh', ...args], { detached: true, stdio: ['pipe', output, output] })
  const ended = once(child, 'exit').then(([code]: (number | null)[]) => code ?? -1)
  ended.catch(() => undefined)
  const stdin = child.stdin as Socket
  // Closing the pipe fails when the shell has already exited. `ended` reports that.
  stdin.on('error', () => undefined)
  const pid = child.pid
  if (pid === undefined) throw new Error('The shell sh could not be started. Expected it on the PATH.')
  return {
    pid,
    ended,
    unref() {
      stdin.unref()
      child.unref()
    },
    async end() {
      child.ref()
      stdin.end()
      const timer = setTimeout(() => process.kill(-pid, 'SIGKILL'), (GRACE_PERIOD_S + 5) * 1000)
      await ended.finally(() => clearTimeout(timer))
    },
  }
}
