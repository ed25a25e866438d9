/** A chat and the end of its agent's process (spec frameworks 7.3, 5). */
import { memoryConversations, memoryTaskStore, stateConversations } from '@aetherkit/a2a'
import { connect, openState } from '@aetherkit/client'
import { createRelay } from '@aetherkit/relay'
import { describe, expect, onTestFinished, test } from 'vitest'
import type { Turn } from '../test/agents.js'
import { localSecret, majors, textOf, until } from '../test/chats.js'
import { AetherChatTransport } from './chat-transport.js'
import { serveAgent } from './serve-agent.js'

describe.each(majors)('7.3: the chat of $major and a restart', (major) => {
  const { open } = major

  test('an agent that crashed in mid-answer is an error once it is back, and the chat goes on', async () => {
    const relay = await createRelay()
    onTestFinished(() => relay.close())
    const memory = memoryTaskStore()
    const store = { ...memory, close: async () => {} }
    const key = localSecret()
    const start = async (turns: readonly Turn[]) => {
      const client = await connect(relay.url, { signer: key })
      onTestFinished(() => client.close())
      const a2a = { card: { name: 'Test', description: 'An agent' }, store }
      const served = await serveAgent(major.create({ turns }).agent, { a2a, aether: { client } })
      onTestFinished(() => served.close())
      return { client, served }
    }
    const one = await start([{ text: ['half '], wait: new Promise(() => {}) }])
    const user = await connect(relay.url)
    onTestFinished(() => user.close())
    const transport = new AetherChatTransport({ client: user, agent: one.client.publicKey, quietMs: 200 })
    const chat = open({ id: 'c1', transport })
    const sending = chat.sendMessage({ text: 'hi' })
    await until(() => textOf(chat.lastMessage) === 'half ')
    await one.client.close()
    await one.served.close()
    await start([{ text: ['back'] }])
    await sending
    expect(chat.status).toBe('error')
    await chat.sendMessage({ text: 'again' })
    expect(textOf(chat.lastMessage)).toBe('back')
  }, 15_000)

  test('a chat outlives the process of the agent where its tasks do, and whole where its conversations do', async () => {
    const relay = await createRelay()
    onTestFinished(() => relay.close())
    const key = localSecret()
    const store = { ...memoryTaskStore(), close: async () => {} }
    const user = await connect(relay.url)
    onTestFinished(() => user.close())
    const call = { toolName: 'pay', args: { amount: '5' } }
    for (const isKept of [false, true]) {
      const start = async (turns: readonly Turn[]) => {
        const client = await connect(relay.url, { signer: key })
        const conversations = isKept
          ? stateConversations(openState(client, { signer: key }))
          : memoryConversations()
        const made = major.create({ turns })
        const a2a = { card: { name: 'Test', description: 'An agent' }, store }
        const served = await serveAgent(made.agent, { a2a, conversations, aether: { client } })
        return { ...made, agent: client.publicKey, stop: () => served.close().then(() => client.close()) }
      }
      const id = `kept-${isKept}`
      const one = await start([{ text: ['Paying.'], call }, { text: ['Paid.'] }])
      const transport = new AetherChatTransport({ client: user, agent: one.agent })
      const chat = open({ id, transport })
      await chat.sendMessage({ text: 'pay 5' })
      await one.stop()
      const two = await start([{ text: ['Yes.'] }])
      await chat.sendMessage({ text: 'did you?' })
      const history = (await transport.history(id)).map(textOf)
      expect(history.map((text) => text.replaceAll('\n', ''))).toEqual([
        'pay 5',
        'Paying.Paid.',
        'did you?',
        'Yes.',
      ])
      expect(JSON.stringify(two.prompts()[0])).toMatch(/pay 5.*Paid\..*did you/)
      expect(JSON.stringify(two.prompts()[0]).includes('for 5')).toBe(isKept)
      await two.stop()
    }
  })
})
