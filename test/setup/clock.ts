export interface Clock {
  now: () => Date
  set: (time: string | Date) => void
}

/** A clock that stands still until it is set. */
export function clockAt(time: string): Clock {
  let current = new Date(time)
  return {
    now: () => current,
    set: (next) => {
      current = new Date(next)
    },
  }
}
