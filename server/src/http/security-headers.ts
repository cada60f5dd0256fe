import { IncomingMessage, type OutgoingHttpHeaders, ServerResponse } from 'node:http'
import { Socket } from 'node:net'
import helmet from 'helmet'

/** Returns the headers that Helmet sets. They are computed once, because Helmet's middleware would compute them for each response. */
export function securityHeaders(): OutgoingHttpHeaders {
  const request = new IncomingMessage(new Socket())
  const response = new ServerResponse(request)
  helmet()(request, response, (error) => {
    if (error) throw error
  })
  return response.getHeaders()
}
