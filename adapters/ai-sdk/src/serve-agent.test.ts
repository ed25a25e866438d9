/** One AI SDK agent over every carrier (spec frameworks 7.3, 3; a2a 5). */
import { connectAgent } from '@aetherkit/a2a'
import { connect } from '@aetherkit/client'
import { createRelay } from '@aetherkit/relay'
import { describe, expect, onTestFinished, test } from 'vitest'
import { majors } from '../test/agents.js'
import { serveAgent } from './serve-agent.js'

const key = crypto.getRandomValues(new Uint8Array(32))
const card = { name: 'Cashier', description: 'Pays bills' }

describe.each(majors)('7.3: serveAgent of $major', ({ create }) => {
  test('answers A2A 1.0 and 0.3, agent.request, and Aether events, from one agent', async () => {
    const relay = await createRelay()
    onTestFinished(() => relay.close())
    const { agent } = create({ turns: ['1.0', '0.3', 'request', 'events'].map((text) => ({ text: [text] })) })
    const served = await serveAgent(agent, { a2a: { card, key, port: 0 }, aether: { relays: relay.url } })
    onTestFinished(() => served.close())
    const client = await connect(relay.url)
    onTestFinished(() => client.close())
    const url = served.url ?? ''
    const open = async (target: string, options: Parameters<typeof connectAgent>[1]) => {
      const remote = await connectAgent(target, { allowPrivateNetwork: true, ...options })
      onTestFinished(() => remote.close())
      return remote
    }
    const texts = (result: object) => JSON.stringify(result).match(/"text":"(1\.0|0\.3|events)"/)?.[1]
    expect(texts(await (await open(url, { versions: ['1.0'] })).send('hi'))).toBe('1.0')
    expect(texts(await (await open(url, { versions: ['0.3'] })).send('hi'))).toBe('0.3')
    const dialect = await open(url, { key })
    expect(JSON.stringify(await dialect.request('pay', { amount: '1' }))).toContain('request')
    expect(texts(await (await open(`aether:${served.publicKey}`, { client })).send('hi'))).toBe('events')
  })

  test('its tools are the skills of the card, and what it is found by on the relay', async () => {
    const relay = await createRelay()
    onTestFinished(() => relay.close())
    const client = await connect(relay.url)
    onTestFinished(() => client.close())
    const { agent } = create({ turns: [] })
    const served = await serveAgent(agent, { a2a: { card }, aether: { relays: relay.url, key } })
    onTestFinished(() => served.close())
    expect(served.agent.card().skills).toMatchObject([{ id: 'pay', description: 'Pays somebody' }])
    const [found] = await client.discover({ capability: 'pay' })
    expect(found).toMatchObject({ publicKey: served.publicKey, name: 'Cashier' })
  })

  test('a client of its own stays open after close', async () => {
    const relay = await createRelay()
    onTestFinished(() => relay.close())
    const client = await connect(relay.url)
    onTestFinished(() => client.close())
    const served = await serveAgent(create({ turns: [] }).agent, { a2a: { card }, aether: { client } })
    await served.close()
    expect(client.connected).toEqual([relay.url])
  })

  test('without a relay or a key there is no Aether: TypeError', async () => {
    const { agent } = create({ turns: [] })
    await expect(serveAgent(agent, { a2a: { card }, aether: {} })).rejects.toBeInstanceOf(TypeError)
  })
})
