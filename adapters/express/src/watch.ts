/** The handler's response, told to the gate: as it ends, or when it never will. */
import { type Grant, type Pass, watchResponse, withSeedReceipt } from '@aetherkit/payments'
import { tooLate } from './answer.js'
import type { PaidRequest, PaidResponse, Route } from './middleware.js'
import type { PaywallOptions } from './paywall.js'

export function watchPass(
  pass: Pass,
  request: PaidRequest,
  response: PaidResponse,
  { onDisconnect = 'retry', chargeOn = (status) => status < 500, finishMs, timeoutMs }: Route,
  { onError = () => {}, keepBytes = 256 * 1024, holdBytes, seedReceipts = true }: PaywallOptions,
): void {
  request.payment = pass.paid
  watchResponse(response, {
    // A failed answer is held too, for the headers of a refund or a credit.
    hold: (status) => pass.flow === 'authorization' || !chargeOn(status),
    keepBytes,
    ...(holdBytes !== undefined && { holdBytes }),
    ...(finishMs !== undefined && { finishMs }),
    ...(timeoutMs !== undefined && { timeoutMs }),
    // The answer to HEAD has no body that a GET with the same payment could be given.
    ended: ({ body, ...rest }) =>
      pass.complete(body === undefined || request.method === 'HEAD' ? rest : { ...rest, body }),
    aborted() {
      const told =
        onDisconnect === 'charge'
          ? pass.complete({ status: response.statusCode })
          : pass.fail('the client left before the response ended')
      told.catch(onError)
    },
    async timedOut() {
      const { headers } = await pass.fail(`the handler took longer than ${timeoutMs} ms`)
      return tooLate({ ...pass.headers, ...headers })
    },
    failed: onError,
  })
  const json = response.json?.bind(response)
  if (json === undefined || !seedReceipts || request.headers['x-payment'] === undefined) return
  response.json = (body) => json(withSeedReceipt(body, pass.paid))
}

export function watchGrant(
  grant: Grant,
  response: PaidResponse,
  { onError = () => {} }: PaywallOptions,
): void {
  response.once('close', () => {
    grant.settle?.({ status: response.statusCode }).catch(onError)
  })
}
