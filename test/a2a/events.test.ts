/** A2A over Aether events (spec a2a 5), over a real relay, frame by frame. */
import { type AgentOptions, aetherTransport, createGuard, type PushDelivery } from '@aetherkit/a2a'
import { describe, expect, test } from 'vitest'
import { envelope, kindOf, type Loose, later, say, stateIn } from './agent.js'
import { KIND, openAir, type Peer } from './air.js'
import { metadataOf, submitted, useMarket } from './market.js'
import { openReceiver } from './receiver.js'
import { AGENT, CALLER } from './wallet.js'

const push: PushDelivery = { async check() {}, prepare: () => undefined, send() {}, async close() {} }
const market = useMarket()

/** An honest call, whose answer proves that what was sent before it has been looked at. */
const settle = (peer: Peer) => peer.call('ListTasks')

describe('events', () => {
  test('[ev-operations] every operation is served', async () => {
    const extendedCard: NonNullable<AgentOptions['extendedCard']> = () => air.agent.card()
    const air = await openAir({ push, extendedCard })
    const peer = await air.peer()
    const asked = (await peer.call('SendMessage', say('ask'))).result.task
    expect(asked.status.state).toBe('TASK_STATE_INPUT_REQUIRED')
    const taskId = asked.id
    expect((await peer.call('GetTask', { id: taskId })).result).toEqual(asked)
    expect((await peer.call('ListTasks')).result.totalSize).toBe(1)
    const url = 'https://hooks.example/'
    expect((await peer.call('CreateTaskPushNotificationConfig', { taskId, id: 'c', url })).result.url).toBe(
      url,
    )
    expect((await peer.call('GetTaskPushNotificationConfig', { taskId, id: 'c' })).result.id).toBe('c')
    expect((await peer.call('ListTaskPushNotificationConfigs', { taskId })).result.configs).toHaveLength(1)
    expect((await peer.call('DeleteTaskPushNotificationConfig', { taskId, id: 'c' })).result).toBe(null)
    expect((await peer.call('GetExtendedAgentCard')).result.name).toBe('Parrot')
    const streamed = await peer.stream('SendStreamingMessage', say('hi'))
    expect(streamed.map(({ result }) => kindOf(result))).toEqual([
      'task',
      'statusUpdate',
      'artifactUpdate',
      'statusUpdate',
    ])
    const subscribing = peer.stream('SubscribeToTask', { id: taskId })
    await expect.poll(() => air.served.at(-1)?.method).toBe('SubscribeToTask')
    expect((await peer.call('CancelTask', { id: taskId })).result.status.state).toBe('TASK_STATE_CANCELED')
    const seen = (await subscribing).map(({ result }) => result)
    expect([kindOf(seen[0]), stateIn(seen.at(-1))]).toEqual(['task', 'TASK_STATE_CANCELED'])
  })

  test('[ev-push] a push configuration that came over events is notified over HTTP', async () => {
    const receiver = await openReceiver()
    const guard = createGuard({ allowPrivateNetwork: true, warn() {} })
    later(() => guard.close())
    const peer = await (await openAir({ push: { guard } })).peer()
    const inline = { configuration: { taskPushNotificationConfig: { url: receiver.url, token: 't' } } }
    const { task } = (await peer.call('SendMessage', { ...say('hi'), ...inline })).result
    await expect.poll(() => stateIn(receiver.posted.at(-1)?.json ?? {})).toBe('TASK_STATE_COMPLETED')
    expect(receiver.posted.at(-1)?.json.statusUpdate.taskId).toBe(task.id)
    expect(receiver.posted.at(-1)?.headers['x-a2a-notification-token']).toBe('t')
  })

  test('[ev-loss] stream frames are numbered, and a lost one is recovered by subscribing again', async () => {
    const air = await openAir({ limits: { coalesceBytes: 1, coalesceMs: 1 } })
    const peer = await air.peer()
    const caller = await air.peer(new Uint8Array(32).fill(44))
    await peer.say({
      kind: 'request',
      id: 's',
      params: { 'a2a-version': '1.0' },
      body: envelope('SendStreamingMessage', say('hi')),
    })
    await expect.poll(() => peer.heard.some(({ kind }) => kind === 'end')).toBe(true)
    const numbers = peer.heard.filter(({ id }) => id === 's').map(({ seq }) => seq)
    expect(numbers).toEqual(numbers.map((_, at) => at + 1))
    // The agent's publications of one stream go through a line that loses the second.
    let nth = 0
    const { publish } = air.server
    air.server.publish = (event, options) => {
      nth += 1
      if (nth === 2) return Promise.resolve({ id: '', event: event as never, relays: {} })
      return publish.call(air.server, event, options)
    }
    const transport = aetherTransport(caller.client, air.to, { gapMs: 50 })
    later(() => transport.close())
    const heard: Loose[] = []
    for await (const one of transport.stream(envelope('SendStreamingMessage', say('chunks 30 100')) as never))
      heard.push(one)
    expect(
      heard.map(({ result }) => kindOf(result)).filter((kind) => kind === 'task').length,
    ).toBeGreaterThanOrEqual(2)
    const last = heard.at(-1).result
    expect(stateIn(last)).toBe('TASK_STATE_COMPLETED')
    expect(air.served.map(({ method }) => method)).toContain('SubscribeToTask')
    expect(air.runs).toEqual(['hi', 'chunks 30 100'])
  })

  test('[ev-deadline] a request that is lost is repeated under its id and runs once; without an answer it is TIMEOUT', async () => {
    const air = await openAir()
    const caller = await air.peer()
    const sent: string[] = []
    const { publish } = caller.client
    caller.client.publish = (event, options) => {
      sent.push(event.kind === KIND ? 'frame' : 'other')
      if (sent.length < 3) return Promise.resolve({ id: '', event: event as never, relays: {} })
      return publish.call(caller.client, event, options)
    }
    const transport = aetherTransport(caller.client, air.to, { retryMs: 20 })
    later(() => transport.close())
    const answer: Loose = await transport.call(envelope('SendMessage', say('hi')) as never)
    expect(answer.result.task.status.state).toBe('TASK_STATE_COMPLETED')
    expect(air.runs).toEqual(['hi'])
    const waiting = transport.call(envelope('SendMessage', say('wait')) as never, { timeoutMs: 400 })
    await expect(waiting).rejects.toMatchObject({ code: 'TIMEOUT', acknowledged: true })
  })

  test('[ev-flow] a stream without acknowledgements has a window, is dropped, and its task runs on', async () => {
    const air = await openAir({
      serve: { stream: { ackTimeoutMs: 150, window: 4 } },
      limits: { coalesceMs: 1, coalesceBytes: 1 },
      executor: {
        async execute({ write, artifact }) {
          for (let at = 0; at < 40; at++) {
            write(`${at} `)
            await new Promise((resolve) => setTimeout(resolve, 10))
          }
          artifact({ id: 'end', parts: [{ text: 'all of it' }] })
        },
      },
    })
    const peer = await air.peer()
    await peer.say({
      kind: 'request',
      id: 's',
      params: { 'a2a-version': '1.0' },
      body: envelope('SendStreamingMessage', say('go')),
    })
    const state = async () => (await peer.call('ListTasks', { includeArtifacts: true })).result.tasks[0]
    await expect
      .poll(async () => (await state())?.status.state, { timeout: 10_000 })
      .toBe('TASK_STATE_COMPLETED')
    const events = peer.heard.filter(({ id, kind }) => id === 's' && kind === 'event')
    expect(events.length).toBeLessThanOrEqual(5)
    expect(peer.heard.some(({ id, kind, seq }) => id === 's' && kind === 'end' && seq !== undefined)).toBe(
      false,
    )
    expect((await state()).artifacts.at(-1).parts).toEqual([{ text: 'all of it' }])
  })

  test('[ev-split] a long frame goes in parts both ways, and one over the cap is refused by name', async () => {
    const parts = { data: { long: 'ä€😀'.repeat(60_000) } }
    const air = await openAir({
      limits: { bodyBytes: 8 * 1024 * 1024 },
      serve: { pieces: { maxBytes: 2_000_000 } },
    })
    const peer = await air.peer()
    const { result } = await peer.call('SendMessage', {
      message: { messageId: 'm', role: 'ROLE_USER', parts: [{ text: 'parts' }, parts] },
    })
    expect(result.task.artifacts[0].parts[1]).toEqual(parts)
    const small = await openAir({ serve: { pieces: { maxBytes: 3_000 } } })
    const answer = await (await small.peer()).call('SendMessage', say('x'.repeat(2_500)))
    expect(answer.error.message).toContain('longer than this carrier takes')
  })

  test('[ev-dispatch] 1.0, 0.3 and agent.request go through the dispatch of HTTP, with its errors', async () => {
    const air = await openAir()
    const peer = await air.peer()
    expect((await peer.call('SendMessage', say('hi'))).result.task.status.state).toBe('TASK_STATE_COMPLETED')
    const old = {
      message: { kind: 'message', messageId: 'm', role: 'user', parts: [{ kind: 'text', text: 'hi' }] },
    }
    expect((await peer.call('message/send', old, {})).result).toMatchObject({
      kind: 'task',
      status: { state: 'completed' },
    })
    const signed = CALLER.signed({ to: AGENT.address, action: 'echo' })
    const answer = await peer.call('agent.request', signed, {})
    expect(answer.error?.code ?? answer.result.status).toBe('success')
    for (const [method, params, headers] of [
      ['Nope', {}, undefined],
      ['SendMessage', {}, undefined],
      ['SendMessage', say('hi'), {}],
      ['ListTasks', {}, { 'a2a-version': '7.0' }],
    ] as const)
      expect((await peer.call(method, params, headers)).error).toEqual(
        (await air.rpc(method, params, headers)).json.error,
      )
  })

  test('[ev-payment] payment is metadata or the dialect result, never HTTP 402, and used once over all carriers', async () => {
    const shop = await market.now.open({ agent: { dialect: { http402: true } } })
    const peer = await (await openAir({ running: shop })).peer()
    const ask = peer.call
    const { task } = (await ask('SendMessage', say('hi'))).result
    expect(metadataOf(task)['x402.payment.status']).toBe('payment-required')
    const unpaid = await ask('agent.request', CALLER.signed({ to: AGENT.address, action: 'echo' }), {})
    expect(unpaid.result).toMatchObject({ status: 'payment_required', paymentRequired: { asset: 'USDC' } })
    const payload = await market.now.payloadFor(metadataOf(task)['x402.payment.required'])
    const before = await market.now.sold()
    const paid = (await ask('SendMessage', say('paid', { taskId: task.id, ...submitted(payload) }))).result
      .task
    expect([paid.status.state, metadataOf(paid)['x402.payment.status']]).toEqual([
      'TASK_STATE_COMPLETED',
      'payment-completed',
    ])
    const again = await shop.send('hi', submitted(payload))
    expect(metadataOf(again)['x402.payment.status']).toBe('payment-failed')
    expect((await market.now.sold()) - before).toBe(10_000n)
  })

  test('[ev-card] the card lists the interface while it is served, 1.0 first, with the relays', async () => {
    const air = await openAir()
    const card = async () => (await air.rest('GET', '/.well-known/agent-card.json')).json
    expect((await card()).supportedInterfaces).toHaveLength(4)
    const served = air.agent.serveOn(air.server, { relays: ['wss://relay.example'] })
    await served.ready
    const { supportedInterfaces, capabilities } = await card()
    expect(supportedInterfaces.slice(4)).toEqual(
      ['1.0', '0.3'].map((protocolVersion) => ({
        url: `aether:${air.to}`,
        protocolBinding: expect.stringMatching(/^https:/),
        protocolVersion,
      })),
    )
    expect(JSON.stringify(capabilities.extensions)).toContain('wss://relay.example')
    await served.close()
    expect((await card()).supportedInterfaces).toHaveLength(4)
    expect(await settle(await air.peer())).toMatchObject({ result: { totalSize: 0 } })
  })
})
