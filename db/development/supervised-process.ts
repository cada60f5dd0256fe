import { spawn } from 'node:child_process'
import { once } from 'node:events'
import type { Socket } from 'node:net'

/** Seconds a program gets to end by itself before it is killed. */
const GRACE_S = 20

/**
 * Runs a program, and ends it when standard input ends, which is when the owner ends it or dies: the kernel closes a
 * dead process's pipes, also after kill -9. $1 signal, $2 path to delete, $3 when to delete it, $4 input, then the program.
 * Each shell reaps what it started, because the first process of a container often does not.
 */
const WATCHER = `
signal=$1 remove=$2 when=$3 input=$4; shift 4
exec 3<&0
"$@" <"$input" 3<&- &
program=$!
(
  read -r _ <&3
  trap 'kill "$!"; wait; exit' TERM
  kill -"$signal" "$program"
  seconds=0
  while [ "$seconds" -lt ${GRACE_S} ]; do sleep 1 & wait "$!"; seconds=$((seconds + 1)); done
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
  /** File descriptor that takes its output. */
  output: number
  /** File it reads from. */
  input?: string
  /** Signal that asks it to end. */
  signal?: 'TERM' | 'KILL'
  /** What to delete when it has ended, also when its owner is dead by then. */
  remove?: { path: string; when: 'always' | 'failure' }
}

export interface SupervisedProcess {
  /** Of the watcher, which outlives the program. */
  pid: number
  /** Resolves when the program has ended, with its exit status. */
  ended: Promise<number>
  /** From now on it keeps this process running no longer. */
  unref(): void
  /** Ends the program and resolves when it has ended. */
  end(): Promise<void>
}

/**
 * Runs a program that ends with this process, however this process ends, and that no Ctrl-C reaches: it has a session of
 * its own. Until it is loosened it keeps this process running.
 */
export function superviseProcess(
  command: string[],
  { output, input, signal = 'TERM', remove }: SuperviseOptions,
): SupervisedProcess {
  const words = [signal, remove?.path ?? '', remove?.when ?? 'never', input ?? '/dev/null', ...command]
  const child = spawn('sh', ['-c', WATCHER, 'sh', ...words], { detached: true, stdio: ['pipe', output, output] })
  const ended = once(child, 'exit').then(([code]: (number | null)[]) => code ?? -1)
  ended.catch(() => undefined)
  const line = child.stdin as Socket
  // The watcher may be gone before we hang up; `ended` tells.
  line.on('error', () => undefined)
  const pid = child.pid
  if (pid === undefined) throw new Error('sh could not be started: it is expected on the PATH.')
  return {
    pid,
    ended,
    unref() {
      line.unref()
      child.unref()
    },
    async end() {
      child.ref()
      line.end()
      const timer = setTimeout(() => process.kill(-pid, 'SIGKILL'), (GRACE_S + 5) * 1000)
      await ended.finally(() => clearTimeout(timer))
    },
  }
}
