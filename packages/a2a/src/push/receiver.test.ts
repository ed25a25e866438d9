import { generateSecretKey, publicKeyOf } from '@aetherkit/core'
import { describe, expect, test } from 'vitest'
import { type Post, receiver, subscribed, task, update } from '../../test/push.js'
import type { StreamResponse } from '../model.js'
import { createPushReceiver } from './receiver.js'
import { notificationSigner } from './signature.js'

describe('7.2: the receiver', () => {
  test('[push-receiver] reads what an agent of 0.3 sends as that of 1.0', async () => {
    const { url, posts, count } = await receiver()
    const { notify } = await subscribed({ url, legacy: true })
    const artifact = { artifactId: 'a', parts: [{ data: { n: 1 } }, { url: 'https://a.example/x' }] }
    const events: StreamResponse[] = [
      update('one'),
      { artifactUpdate: { taskId: task.id, contextId: task.contextId, artifact, lastChunk: true } },
      { task },
    ]
    for (const event of events) await notify(event)
    await count(3)
    const ours = createPushReceiver({ expects: (id) => id === task.id })
    const read = posts.map(({ headers, body }) =>
      ours.receive((name) => headers[name] as string | undefined, body),
    )
    expect(await Promise.all(read)).toMatchObject(events.map((event) => ({ ok: true, event })))
    expect(await ours.receive(() => undefined, '{"kind":"task"}')).toMatchObject({ code: 'MALFORMED' })
    expect(await ours.receive(() => undefined, '{"kind":"other"}')).toMatchObject({ code: 'MALFORMED' })
  })

  test('[push-signed, push-receiver] takes a signed notification once, and refuses what is not ours', async () => {
    const secret = generateSecretKey()
    const { url, posts, count } = await receiver()
    const { notify } = await subscribed({ url, token: 'secret' }, { sign: notificationSigner(secret) })
    await notify(update('one'))
    await count(1)
    const [{ headers, body }] = posts as [Post]
    const header = (name: string): string | undefined => headers[name] as string | undefined
    const expects = (id: string): boolean => id === 'task-1'
    const signedBy = { publicKey: publicKeyOf(secret), url }

    const ours = createPushReceiver({ token: 'secret', expects, signedBy })
    expect(await ours.receive(header, body)).toMatchObject({
      ok: true,
      taskId: 'task-1',
      event: update('one'),
    })
    expect(await ours.receive(header, body)).toEqual({ ok: false, status: 200, code: 'DUPLICATE' })
    expect(await ours.receive(header, body.replace('one', 'two'))).toMatchObject({ code: 'WRONG_SIGNATURE' })
    expect(await ours.receive(header, '{"task":')).toMatchObject({ code: 'MALFORMED' })
    expect(await ours.receive(header, '{}')).toMatchObject({ code: 'MALFORMED' })
    expect(await ours.receive(header, 'x'.repeat(2_000_000))).toMatchObject({ code: 'TOO_LARGE' })

    const other = createPushReceiver({ token: 'another', expects })
    expect(await other.receive(header, body)).toMatchObject({ status: 401, code: 'WRONG_TOKEN' })
    const elsewhere = createPushReceiver({ expects: () => false })
    expect(await elsewhere.receive(header, body)).toMatchObject({ status: 404, code: 'UNKNOWN_TASK' })
    const wrongKey = createPushReceiver({
      expects,
      signedBy: { publicKey: publicKeyOf(generateSecretKey()), url },
    })
    expect(await wrongKey.receive(header, body)).toMatchObject({ code: 'WRONG_SIGNATURE' })
  })
})
