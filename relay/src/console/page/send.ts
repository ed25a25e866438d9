/** A test event, signed in the page and published like anybody's: by `POST /v1/events`, without the token. */
import { createClock, generateSecretKey, publicKeyOf, signEvent, writeEvent } from '@aetherkit/core'
import { byId, note, setText } from './dom.js'
import { readTag, shortKey } from './format.js'

export function setUpSending(): void {
  const secretKey = generateSecretKey()
  const publicKey = publicKeyOf(secretKey)
  const now = createClock()
  const field = (name: string) => byId<HTMLInputElement>(`send-${name}`).value
  setText('send-key', shortKey(publicKey))
  byId('send-key').title = publicKey

  const send = async () => {
    const kind = Number(field('kind'))
    const tag = readTag(field('tag'))
    const template = {
      kind,
      content: field('content'),
      tags: tag === undefined ? [] : [tag],
      createdAt: now(),
    }
    const event = signEvent(template, secretKey)
    const response = await fetch('v1/events', {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: writeEvent(event) ?? '',
    })
    const answer = await response.json()
    if (answer.accepted === true) note('send-note', `${answer.status}: ${event.id}`, 'good')
    else note('send-note', `${answer.code}: ${answer.message}`, 'bad')
  }
  byId('send').addEventListener('submit', (submit) => {
    submit.preventDefault()
    send().catch((error: unknown) => {
      note('send-note', error instanceof Error ? error.message : String(error), 'bad')
    })
  })
}
