/** The headers of a message in the binary content mode of CloudEvents 1.0, and what each must be. */
export const EVENT_HEADERS = {
  ce_specversion: { expected: '1.0', isValid: (text: string) => text === '1.0' },
  ce_source: { expected: '/pointwise', isValid: (text: string) => text === '/pointwise' },
  ce_id: { expected: 'the id of an event in decimal digits', isValid: isId },
  ce_type: { expected: 'a type such as order.paid', isValid: (text: string) => /^[\x21-\x7e]+$/.test(text) },
  ce_time: { expected: 'an ISO 8601 time in UTC such as 2026-01-31T12:00:00.000Z', isValid: isTime },
  ce_subject: { expected: 'the key of the message', isValid: (text: string) => text !== '' },
  'content-type': { expected: 'application/json', isValid: (text: string) => /^application\/json *(;|$)/i.test(text) },
}

function isId(text: string): boolean {
  return /^[1-9]\d*$/.test(text) && Number.isSafeInteger(Number(text))
}

/** Whether the text is a time that exists. `Date` moves the 30th of February into March. */
function isTime(text: string): boolean {
  const time = /^(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(?:\.\d+)?Z$/.exec(text)
  const date = new Date(text)
  return time?.[1] !== undefined && !Number.isNaN(date.getTime()) && date.toISOString().startsWith(time[1])
}
