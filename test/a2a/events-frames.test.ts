/** Who may say what over Aether events (spec a2a 5): frames that are sealed, honest, fresh, and heard once. */
import { describe, expect, test } from 'vitest'
import { envelope, say } from './agent.js'
import { KIND, openAir } from './air.js'
import { AGENT, walletOf } from './wallet.js'

describe('frames of events', () => {
  test('[ev-sealed] plaintext frames are refused, and nobody on the way reads one', async () => {
    const air = await openAir()
    const [peer, eve] = [await air.peer(), await air.peer(new Uint8Array(32).fill(66))]
    const wire: string[] = []
    const tap = eve.client.subscribe({ kinds: [KIND] })
    void (async () => {
      for await (const { content } of tap) wire.push(Buffer.from(content).toString('latin1'))
    })()
    await tap.stored
    const frame = {
      v: 1,
      kind: 'request',
      id: 'p',
      from: peer.key,
      to: air.to,
      params: { 'a2a-version': '1.0' },
      body: envelope('SendMessage', say('plain')),
    }
    await peer.client.publish({ kind: KIND, tags: [['p', air.to]], content: JSON.stringify(frame) })
    await peer.call('SendMessage', say('attack at dawn'))
    expect(air.runs).toEqual(['attack at dawn'])
    await expect.poll(() => wire.length).toBeGreaterThanOrEqual(3)
    expect(wire.join('')).not.toContain('dawn')
    expect(wire.filter((content) => content.includes('SendMessage'))).toHaveLength(1)
  })

  test('[ev-identity] from and to of the frame must be author and recipient; the author is the caller', async () => {
    const air = await openAir()
    const [peer, mallory] = [await air.peer(), await air.peer(new Uint8Array(32).fill(66))]
    const { id } = (await peer.call('SendMessage', say('ask'))).result.task
    const body = envelope('CancelTask', { id })
    const params = { 'a2a-version': '1.0' }
    await mallory.say({ kind: 'request', id: 'as-caller', from: peer.key, params, body })
    await mallory.say({ kind: 'request', id: 'to-another', to: 'ab'.repeat(32), params, body })
    await mallory.say({ kind: 'request', id: 'other-version', v: 2, params, body })
    expect((await mallory.call('CancelTask', { id })).error.code).toBe(-32001)
    expect(air.served.map(({ method }) => method)).toEqual(['SendMessage', 'CancelTask'])
    expect(air.served.map(({ owner }) => owner)).toEqual([`aether:${peer.key}`, `aether:${mallory.key}`])
    expect(mallory.heard.some((frame) => frame.id !== mallory.heard.at(-1)?.id)).toBe(false)
    expect((await peer.call('GetTask', { id })).result.status.state).toBe('TASK_STATE_INPUT_REQUIRED')
  })

  test('[ev-replay] a repeated event, and a repeated frame, is handled once and answered again', async () => {
    const air = await openAir()
    const peer = await air.peer()
    const body = envelope('SendMessage', say('hi'))
    const content = await peer.client.seal(
      Buffer.from(
        JSON.stringify({
          v: 1,
          kind: 'request',
          id: 'once',
          from: peer.key,
          to: air.to,
          params: { 'a2a-version': '1.0' },
          body,
        }),
      ),
      air.to,
    )
    const { event } = await peer.client.publish({ kind: KIND, tags: [['p', air.to]], content })
    await peer.client.publish(event).catch(() => {})
    await expect.poll(() => peer.heard.filter(({ id }) => id === 'once').length).toBe(1)
    await peer.say({ kind: 'request', id: 'once', params: { 'a2a-version': '1.0' }, body })
    await expect.poll(() => peer.heard.filter(({ id }) => id === 'once').length).toBe(2)
    const [one, two] = peer.heard.filter(({ id }) => id === 'once')
    expect(two?.body).toEqual(one?.body)
    expect(air.runs).toEqual(['hi'])
  })

  test('[ev-replay] a frame from outside the window is not heard', async () => {
    const air = await openAir({ serve: { now: () => Date.now() + 61_000 } })
    const peer = await air.peer()
    await peer.say({
      kind: 'request',
      id: 'stale',
      params: { 'a2a-version': '1.0' },
      body: envelope('SendMessage', say('hi')),
    })
    const http = await air.rpc('ListTasks', {})
    expect(http.json.result.totalSize).toBe(0)
    expect(air.served).toEqual([])
  })

  test('[ev-author] the from of agent.request must be the author of the event, unless delegation is configured', async () => {
    const other = walletOf(new Uint8Array(32).fill(5))
    const air = await openAir()
    const foreign = other.signed({ to: AGENT.address, action: 'echo' })
    expect((await (await air.peer()).call('agent.request', foreign, {})).error.code).toBe(-32600)
    const lenient = await openAir({ dialect: { delegation: true } })
    expect((await (await lenient.peer()).call('agent.request', foreign, {})).result.status).toBe('success')
    expect(air.runs).toEqual([])
  })
})
