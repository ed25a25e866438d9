/** The header that proves a key over HTTP; that a relay takes it is in `test/http-authorization.test.ts`. */
import { blake3, isJsonObject, parseJson, readEvent, tagValue, toHex, verify } from '@aetherkit/core'
import { expect, test } from 'vitest'
import { httpAuthorization } from './http-authorization.js'
import { localSigner } from './signer.js'

function eventOf(header: string) {
  const [scheme, text = ''] = header.split(' ')
  const parsed = parseJson(Buffer.from(text, 'base64').toString())
  const read = readEvent(parsed.ok && isJsonObject(parsed.value) ? parsed.value : null)
  if (scheme !== 'Aether' || !read.ok) throw new Error(`no proof: ${header}`)
  return read.event
}

test('the header holds a signed event of kind 27235 that names method, URL and body', async () => {
  const signer = localSigner()
  const body = '{"filters":{"kinds":[4]},"x":"é"}'
  const url = 'https://relay.example/v1/query?features=base64#part'
  const event = eventOf(await httpAuthorization(signer, url, 'post', body, { tags: [['capability', '{}']] }))
  expect(verify(event).ok).toBe(true)
  expect([event.kind, event.pubkey, event.content.length]).toEqual([27235, signer.publicKey, 0])
  expect(event.tags).toEqual([
    ['u', 'https://relay.example/v1/query?features=base64'],
    ['method', 'POST'],
    ['payload', toHex(blake3(Buffer.from(body)))],
    ['capability', '{}'],
  ])
})

test('two proofs of one request differ, so that each is good once', async () => {
  const signer = localSigner()
  const make = async () => eventOf(await httpAuthorization(signer, 'http://127.0.0.1:8081/v1/query?kinds=4'))
  const [one, other] = [await make(), await make()]
  expect(one.id).not.toBe(other.id)
  expect(tagValue(one, 'payload')).toBeUndefined()
})

test.each(['/v1/query', 'relay.example', 'ws://relay.example/'])('%s is no URL to ask', async (url) => {
  await expect(httpAuthorization(localSigner(), url)).rejects.toThrow(TypeError)
})
