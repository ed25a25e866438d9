/** A durable mailbox: work that was sent while nobody was there, shared by two processes of one agent, each done once. */
import assert from 'node:assert/strict'
import { connect, localSigner } from '@aetherkit/client'
import { createRelay } from '@aetherkit/relay'

const relay = await createRelay({ port: 0 })
const signer = localSigner() // the agent: both workers have its key
const boss = await connect(relay.url)

const chores = ['water the plants', 'feed the cat', 'take out the bins', 'lock the door']
for (const content of chores) await boss.publish({ kind: 1, content, tags: [['p', signer.publicKey]] })

const [ann, ben] = [await connect(relay.url, { signer }), await connect(relay.url, { signer })]
const mailboxes = [ann, ben].map((worker) => worker.mailbox('chores', { maxUnacked: 1 }))
const done: string[] = []
let isBroken = true

async function work(name: string, mailbox: (typeof mailboxes)[number]): Promise<void> {
  for await (const { event, deliveries, ack, nack } of mailbox) {
    if (event.text === 'feed the cat' && isBroken) {
      isBroken = false
      console.log(`${name}: the tin does not open, somebody try again`)
      nack()
      continue
    }
    await ack() // from here on it never comes again, whatever happens to the relay
    console.log(`${name}: ${event.text}${deliveries > 1 ? ` (delivery ${deliveries})` : ''}`)
    done.push(event.text)
    if (done.length === chores.length) for (const each of mailboxes) each.close()
  }
}

await Promise.all([work('ann', mailboxes[0]!), work('ben', mailboxes[1]!)])
assert.deepEqual([...done].sort(), [...chores].sort())

// Nothing is left, also for who comes later.
const later = await connect(relay.url, { signer })
await later.mailbox('chores').opened
assert.equal(relay.stats().unacked, 0)

await Promise.all([boss, ann, ben, later].map((client) => client.close()))
await relay.close()
