/** The researcher: an AI SDK agent behind HTTP, in an Express application, that is paid before it works and streams. */
import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import { serveAgent } from '@aetherkit/ai-sdk/a2a'
import { generateSecretKey } from '@aetherkit/core'
import { mountAgent } from '@aetherkit/express'
import { ToolLoopAgent } from 'ai'
import express from 'express'
import type { Market } from './market.js'
import { aiSdkModel } from './script.js'

const FINDINGS =
  'Agents talk through a relay, call each other and pay each other; none of them can forge another. ' +
  'Every message is signed by its author and named by its hash.'

export async function startResearcher(relayUrl: string, market: Market) {
  const app = express()
  const server = app.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  const key = generateSecretKey()
  const served = await serveAgent(
    new ToolLoopAgent({
      model: aiSdkModel(() => FINDINGS),
      instructions: 'You research what you are asked and answer in two sentences.',
    }),
    {
      a2a: {
        key,
        url: `${origin}/a2a`,
        card: {
          name: 'Researcher',
          description: 'Researches a question (AI SDK, over HTTP)',
          skills: [
            { id: 'research', name: 'research', description: 'Researches a question', tags: ['text'] },
          ],
        },
        payment: await market.seller('researcher', '$0.10'),
      },
      aether: { relays: relayUrl },
    },
  )
  mountAgent(app, served.agent)
  const close = async () => {
    await served.close()
    server.closeAllConnections()
    await new Promise((resolve) => server.close(resolve))
  }
  return { publicKey: served.publicKey ?? '', url: `${origin}/a2a`, close }
}
