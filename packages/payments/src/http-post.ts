/**
 * One POST over a kept connection of `node:http`. A payment asks its node several times, and `fetch` takes about five
 * times the processor time for each of them.
 */
import { Agent, type ClientRequest, request as requestPlain } from 'node:http'
import { request as requestTls, Agent as TlsAgent } from 'node:https'
import { urlToHttpOptions } from 'node:url'

export type Post = (body: string, timeoutMs: number) => Promise<{ status: number; text: string }>

/** Idle connections end before the 5 s after which many servers end them, so that few are found closed. */
const KEEP = { keepAlive: true, timeout: 4_000 }
const plain = new Agent(KEEP)
const tls = new TlsAgent(KEEP)

/**
 * JSON to one address. What is sent must be harmless when it is sent twice: a kept connection that turns out closed is
 * replaced and the request repeated. The promise rejects when there is no whole answer in time.
 * @throws TypeError for what is no URL
 */
export function createPost(address: string): Post {
  const url = new URL(address)
  const isTls = url.protocol === 'https:'
  const open = isTls ? requestTls : requestPlain
  const options = { ...urlToHttpOptions(url), method: 'POST', agent: isTls ? tls : plain }
  return (body, timeoutMs) =>
    new Promise((resolve, reject) => {
      const headers = { 'content-type': 'application/json', 'content-length': Buffer.byteLength(body) }
      let current: ClientRequest
      let isAnswered = false
      const fail = (error: Error): void => {
        clearTimeout(timer)
        reject(error)
      }
      const timer = setTimeout(() => {
        fail(new Error('no answer in time'))
        current.destroy()
      }, timeoutMs)
      const send = (): void => {
        current = open({ ...options, headers }, (response) => {
          let text = ''
          isAnswered = true
          response.setEncoding('utf8')
          response.on('data', (chunk: string) => {
            text += chunk
          })
          response.on('error', fail)
          response.on('end', () => {
            clearTimeout(timer)
            resolve({ status: response.statusCode ?? 0, text })
          })
        })
        current.on('error', (error: NodeJS.ErrnoException) => {
          const wasClosed = error.code === 'ECONNRESET' || error.code === 'EPIPE'
          if (wasClosed && current.reusedSocket && !isAnswered) send()
          else fail(error)
        })
        current.end(body)
      }
      send()
    })
}
