/** An idempotency key: what is sent twice with one key happens once. Plain http has no `crypto.randomUUID`. */
export const newKey = (): string => 'xxxxxxxx-xxxx-4xxx-8xxx-xxxxxxxxxxxx'.replaceAll('x', randomDigit)

function randomDigit(): string {
  const [byte = 0] = crypto.getRandomValues(new Uint8Array(1))
  return (byte % 16).toString(16)
}
