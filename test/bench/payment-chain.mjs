/** The local chain with nobody in the way: complete transactions sent and asked about, over kept connections of `node:http`. */
import { Agent, request } from 'node:http'
import { serveLines, settings } from '../interop/line.mjs'
import { measure } from '../interop/load.mjs'

const { rpcUrl } = settings
const agent = new Agent({ keepAlive: true })

serveLines(({ calls, concurrency }) =>
  measure({ count: calls.length, concurrency }, async (i) => {
    const { transaction } = calls[i].paymentPayload.payload
    const signature = await ask('sendTransaction', [transaction, { encoding: 'base64', skipPreflight: true }])
    const { value } = await ask('getSignatureStatuses', [[signature]])
    const status = value[0]?.confirmationStatus
    return status === 'confirmed' || status === 'finalized' ? undefined : `not confirmed: ${status}`
  }),
)

function ask(method, params) {
  const body = JSON.stringify({ jsonrpc: '2.0', id: 1, method, params })
  const headers = { 'content-type': 'application/json', 'content-length': Buffer.byteLength(body) }
  return new Promise((resolve, reject) => {
    const sent = request(rpcUrl, { method: 'POST', agent, headers }, (response) => {
      let text = ''
      response.setEncoding('utf8')
      response.on('data', (chunk) => {
        text += chunk
      })
      response.on('end', () => {
        const { result, error } = JSON.parse(text)
        if (error === undefined) resolve(result)
        else reject(new Error(`${method}: ${error.message}`))
      })
    })
    sent.on('error', reject)
    sent.end(body)
  })
}
