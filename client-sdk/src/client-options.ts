/** The address of the server, and what the client sends with each request. */
export interface ClientOptions {
  /** The server's base URL, such as `https://shop.example`. The client appends `/trpc`. */
  url: string | URL
  /** An access token, or a function that returns one and is called for each request. Public procedures need none. */
  token?: string | (() => string | undefined | Promise<string | undefined>) | undefined
  /** A replacement for the global `fetch`. */
  fetch?: typeof globalThis.fetch | undefined
  /** Additional headers, or a function that returns them and is called for each request. */
  headers?: Record<string, string> | (() => Record<string, string> | Promise<Record<string, string>>) | undefined
}
