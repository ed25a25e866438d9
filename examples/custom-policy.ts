/** Your own policy: a function in a list. This relay takes notes only from members, and none that shout. */
import assert from 'node:assert/strict'
import { connect, localSigner } from '@aetherkit/client'
import { reject } from '@aetherkit/core'
import { createRelay, type Policy, saneDefaults } from '@aetherkit/relay'

const member = localSigner()
const members = new Set([member.publicKey])

const membersOnly: Policy = (event) => (members.has(event.pubkey) ? undefined : reject('restricted'))
const noShouting: Policy = (event) => {
  const text = new TextDecoder().decode(event.content)
  return text !== '' && text === text.toUpperCase()
    ? reject('blocked', 'blocked', 'please do not shout')
    : undefined
}

const relay = await createRelay({
  port: 0,
  policies: [...saneDefaults(), membersOnly, noShouting],
})
const inside = await connect(relay.url, { signer: member })
const outside = await connect(relay.url)

assert.equal((await inside.publish({ kind: 1, content: 'good morning' })).relays[relay.url]?.ok, true)
await assert.rejects(inside.publish({ kind: 1, content: 'GOOD MORNING' }), {
  code: 'REJECTED',
  message: /blocked/,
})
await assert.rejects(outside.publish({ kind: 1, content: 'let me in' }), {
  code: 'REJECTED',
  message: /restricted/,
})
console.log('a member was heard, a shout and a stranger were not')

await Promise.all([inside.close(), outside.close()])
await relay.close()
