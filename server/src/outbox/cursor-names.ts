/** The name of the horizon's row in `outbox_cursors`. */
export const HORIZON = 'horizon'

/** Begins the name of each relay's cursor. */
export const RELAY_PREFIX = 'kafka:'

/** The name of a topic's cursor in `outbox_cursors`. */
export const cursorOf = (topic: string): string => `${RELAY_PREFIX}${topic}`
