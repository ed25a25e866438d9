/** Runs in a page: the whole way of an event with nothing but what a browser has. `browser.test.ts` bundles and calls it. */
import { connect } from '@aetherkit/client'
import { createClock, generateSecretKey, publicKeyOf, signEvent, verify } from '@aetherkit/core'

interface Report {
  readonly verified: boolean
  readonly forged: string
  readonly published: string | undefined
  readonly received: string[]
  readonly answer: unknown
}

async function runAgent(relay: string, peer: string): Promise<Report> {
  const secretKey = generateSecretKey()
  const event = signEvent({ kind: 1, createdAt: createClock()(), content: 'signed in a browser' }, secretKey)
  const forged = verify({ ...event, pubkey: publicKeyOf(generateSecretKey()) })

  const client = await connect(relay, { signer: secretKey })
  const subscription = client.subscribe({ kinds: [1], replay: true })
  await subscription.stored
  const { relays } = await client.publish(event)
  const verdict = relays[relay]
  const received: string[] = []
  for await (const { text } of subscription) {
    received.push(text)
    if (received.length === 2) break
  }
  client.serve('where', () => 'browser')
  const answer = await client.request(peer, 'ask-back', client.publicKey)
  await client.close()
  return {
    verified: verify(event).ok,
    forged: forged.ok ? 'ok' : forged.code,
    published: verdict?.ok === true ? verdict.status : undefined,
    received,
    answer,
  }
}

Object.assign(globalThis, { runAgent })
