/** Two agents, one relay: publish a signed event, receive it verified. */
import assert from 'node:assert/strict'
import { connect } from '@aetherkit/client'
import { createRelay } from '@aetherkit/relay'

const relay = await createRelay({ port: 0 })
const alice = await connect(relay.url)
const bob = await connect(relay.url)

const inbox = bob.subscribe({ kinds: [1], authors: [alice.publicKey] })
await inbox.stored // the subscription is live from here on

await alice.publish({ kind: 1, content: 'hello, agent' })

for await (const event of inbox) {
  console.log(`${event.pubkey.slice(0, 8)} says: ${event.text}`)
  assert.equal(event.text, 'hello, agent')
  break
}

await Promise.all([alice.close(), bob.close()])
await relay.close()
