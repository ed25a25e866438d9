/** Our buyer: a paying fetch. `memo: false` for sellers whose facilitator takes three instructions only. */
import { keypairSigner, payingFetch } from '@aetherkit/payments'
import { decodeBase58 } from '../differential/message.mjs'
import { reportResponse, serveLines, settings } from '../line.mjs'

const { rpcUrl, network, secretKey } = settings
const signer = keypairSigner(decodeBase58(secretKey))

serveLines(async ({ url, method = 'GET', headers = {}, body, memo = true }) => {
  const policy = memo ? {} : { hostsWithoutMemo: [new URL(url).host] }
  const paying = payingFetch(fetch, { signer, network, rpcUrl, policy, patienceMs: 20_000 })
  const started = performance.now()
  const response = await paying(url, { method, headers, body })
  return reportResponse(response, started)
})
