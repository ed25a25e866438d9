/** A2A agents on free ports of this machine, that do what a message says; taken down after the test. */
import { createServer, type RequestListener } from 'node:http'
import type { AddressInfo } from 'node:net'
import { type Agent, type AgentOptions, createAgent, type Executor } from '@aetherkit/a2a'
import { later } from './world.js'

const SKILL = {
  id: 'echo',
  name: 'Echo',
  description: 'Says it again',
  tags: ['text'],
  examples: ['hello \u001b[2J'],
}
const CARD = { name: 'Parrot', description: 'Repeats what it hears', version: '1.2.0', skills: [SKILL] }

/**
 * `ask`: asks back once. `login`: wants authorisation. `fail`, `boom`: fails, throws. `reply`, `said`: a direct message,
 * a message at the end. `wait`: works until it is cancelled. `slow <n>`: n words, each after the one before was read.
 * `file`: gives a file. `mixed`: text, data, an address. Anything else, and what answers a question, comes back as it is.
 */
export function parrot(pace: (nth: number) => Promise<unknown> = async () => {}): Executor {
  return {
    directReply: true,
    async execute({ text, message, resumed, signal, write, drained, artifact, progress }) {
      const [word, count] = text.split(' ')
      if (word === 'ask' && !resumed) return { state: 'input-required', message: 'Which\u001b[2J one?' }
      if (word === 'login') return { state: 'auth-required', message: 'Who are you?' }
      if (word === 'fail') return { state: 'failed', message: 'I cannot\u001b[2J do that' }
      if (word === 'boom') throw new Error('a secret')
      if (word === 'reply') return { state: 'message', parts: [{ text: 'directly' }] }
      if (word === 'said') return { state: 'completed', message: 'all done' }
      if (word === 'wait') {
        progress('waiting')
        await new Promise((resolve) => signal.addEventListener('abort', resolve, { once: true }))
      } else if (word === 'slow') {
        progress('counting')
        for (let nth = 0; nth < Number(count); nth++) {
          await pace(nth)
          write(`${nth} `)
          await drained()
        }
      } else if (word === 'file') {
        const raw = Buffer.from('four').toString('base64')
        artifact({ parts: [{ raw, filename: '../../.chart\u001b.png', mediaType: 'image/png' }] })
      } else if (word === 'mixed') {
        artifact({
          id: 'a',
          parts: [{ text: 'one' }, { data: { two: 2 } }, { url: 'https://three.example/' }],
        })
        artifact({ id: 'b', parts: [{ text: 'four' }] })
      } else artifact({ id: 'result', parts: message.parts })
      return undefined
    },
  }
}

export async function agent(options: Partial<AgentOptions> = {}): Promise<{ agent: Agent; url: string }> {
  const made = createAgent({ card: CARD, executor: parrot(), anonymous: 'shared', ...options })
  later(() => made.close())
  const { url } = await made.listen()
  return { agent: made, url }
}

/** An HTTP server on a free port; `listener` is made for its URL. */
export async function server(listener: (url: string) => RequestListener): Promise<string> {
  let listen: RequestListener = (_, response) => response.end()
  const made = createServer((request, response) => listen(request, response))
  await new Promise<void>((resolve) => made.listen(0, '127.0.0.1', resolve))
  later(() => {
    made.closeAllConnections()
    return new Promise((resolve) => made.close(resolve))
  })
  const { port } = made.address() as AddressInfo
  const url = `http://127.0.0.1:${port}`
  listen = listener(url)
  return url
}

/** An agent of A2A 0.3 that knows no other version. */
export async function oldAgent(): Promise<string> {
  return server((url) => {
    const { listener } = createAgent({ card: CARD, executor: parrot(), anonymous: 'shared', url })
    const card = {
      protocolVersion: '0.3.0',
      ...CARD,
      url,
      preferredTransport: 'JSONRPC',
      capabilities: { streaming: true },
      defaultInputModes: ['text/plain'],
      defaultOutputModes: ['text/plain'],
    }
    return (request, response) => {
      if (request.url?.endsWith('agent.json') === true) return void response.end(JSON.stringify(card))
      if (request.url !== '/' || request.headers['a2a-version'] === '1.0')
        return void response.writeHead(404).end()
      return listener(request, response)
    }
  })
}
