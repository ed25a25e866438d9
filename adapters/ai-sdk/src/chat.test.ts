/** `useChat` over a relay, by the chat of both majors (spec frameworks 7.3, 5). */
import { connect, localSigner } from '@aetherkit/client'
import { createRelay, type Relay } from '@aetherkit/relay'
import { describe, expect, onTestFinished, test } from 'vitest'
import type { Turn } from '../test/agents.js'
import { localSecret, majors, textOf, until } from '../test/chats.js'
import { AetherChatTransport } from './chat-transport.js'
import { serveAgent } from './serve-agent.js'

function gate() {
  let open = () => {}
  const wait = new Promise<void>((resolve) => {
    open = resolve
  })
  return { wait, open }
}

async function world({ create }: (typeof majors)[number], turns: readonly Turn[]) {
  const relay: Relay = await createRelay()
  onTestFinished(() => relay.close())
  const made = create({ turns })
  const errors: unknown[] = []
  const served = await serveAgent(made.agent, {
    a2a: { card: { name: 'Test', description: 'An agent' }, onError: (error) => errors.push(error) },
    aether: { relays: relay.url, key: localSecret() },
  })
  onTestFinished(() => served.close())
  const user = localSigner()
  /** A page: the same user, another connection. */
  const page = async (quietMs = 10_000) => {
    const client = await connect(relay.url, { signer: user })
    onTestFinished(() => client.close())
    return { client, transport: new AetherChatTransport({ client, agent: served.publicKey ?? '', quietMs }) }
  }
  return { ...made, served, errors, page, relay }
}

describe.each(majors)('7.3: the chat of $major over a relay', (major) => {
  const { open } = major

  test('a message gets its answer, streamed, and the agent has the conversation', async () => {
    const { page, prompts } = await world(major, [{ text: ['Hel', 'lo'] }, { text: ['Again'] }])
    const { transport } = await page()
    const chat = open({ id: 'c1', transport })
    await chat.sendMessage({ text: 'hi' })
    expect(chat.status).toBe('ready')
    expect(textOf(chat.lastMessage)).toBe('Hello')
    await chat.sendMessage({ text: 'and' })
    expect(chat.messages.map(textOf)).toEqual(['hi', 'Hello', 'and', 'Again'])
    expect(JSON.stringify(prompts()[1])).toMatch(/hi.*Hello.*and/)
  })

  test('after a reload in mid-stream the whole answer is there and goes on, nothing lost or doubled', async () => {
    const { wait, open: go } = gate()
    const words = Array.from({ length: 50 }, (_, n) => `w${n} `)
    const { page } = await world(major, [{ text: words, wait }])
    const before = await page()
    const one = open({ id: 'c1', transport: before.transport })
    const sending = one.sendMessage({ text: 'hi' })
    await until(() => textOf(one.lastMessage) === 'w0 ')
    await before.client.close()
    await sending
    const after = await page()
    const messages = await after.transport.history('c1')
    expect(messages.map(textOf)).toEqual(['hi'])
    const two = open({ id: 'c1', transport: after.transport, messages: messages as never[] })
    const resuming = two.resumeStream()
    await until(() => textOf(two.lastMessage) === 'w0 ')
    go()
    await resuming
    expect(two.status).toBe('ready')
    expect(two.messages.map(textOf)).toEqual(['hi', words.join('')])
    const later = await page()
    expect((await later.transport.history('c1')).map(textOf)).toEqual(['hi', words.join('')])
    expect(await later.transport.reconnectToStream({ chatId: 'c1' })).toBeNull()
  })

  test('a page that kept the partial answer does not show it twice', async () => {
    const { wait, open: go } = gate()
    const { page } = await world(major, [{ text: ['one ', 'two'], wait }])
    const { transport } = await page()
    const one = open({ id: 'c1', transport })
    const sending = one.sendMessage({ text: 'hi' })
    await until(() => textOf(one.lastMessage) === 'one ')
    const two = open({
      id: 'c1',
      transport: (await page()).transport,
      messages: structuredClone(one.messages) as never[],
    })
    const resuming = two.resumeStream()
    go()
    await Promise.all([sending, resuming])
    expect(one.messages.map(textOf)).toEqual(['hi', 'one two'])
    expect(two.messages.map(textOf)).toEqual(['hi', 'one two'])
  })

  test('an answer that ended between history and resume is replayed', async () => {
    const { wait, open: go } = gate()
    const { page } = await world(major, [{ text: ['one ', 'two'], wait }])
    const first = await page()
    const one = open({ id: 'c1', transport: first.transport })
    const sending = one.sendMessage({ text: 'hi' })
    await until(() => textOf(one.lastMessage) === 'one ')
    const { transport } = await page()
    const messages = await transport.history('c1')
    go()
    await sending
    const two = open({ id: 'c1', transport, messages: messages as never[] })
    await two.resumeStream()
    expect(two.messages.map(textOf)).toEqual(['hi', 'one two'])
  })

  test('an approval is asked in the chat, answered there, and survives a reload', async () => {
    const call = { toolName: 'pay', args: { amount: '500' } }
    const { wait, open: go } = gate()
    const { page, paid } = await world(major, [
      { text: ['Let me.'], call },
      { text: ['Paid', '!'], wait },
    ])
    const { transport } = await page()
    const one = open({ id: 'c1', transport })
    await one.sendMessage({ text: 'pay 500' })
    const asked = one.lastMessage?.parts.find(
      (part) => 'state' in part && part.state === 'approval-requested',
    )
    expect(paid).toEqual([])
    const reloaded = await page()
    const messages = await reloaded.transport.history('c1')
    const two = open({ id: 'c1', transport: reloaded.transport, messages: messages as never[] })
    const { id } = (asked as { approval: { id: string } }).approval
    await two.addToolApprovalResponse({ id, approved: true })
    const sending = two.sendMessage()
    await until(() => textOf(two.lastMessage).endsWith('Paid'))
    const third = await page()
    const three = open({
      id: 'c1',
      transport: third.transport,
      messages: (await third.transport.history('c1')) as never[],
    })
    const resuming = three.resumeStream()
    go()
    await Promise.all([sending, resuming])
    expect(paid).toEqual(['500'])
    expect(two.messages.map(textOf)).toEqual(['pay 500', 'Let me.Paid!'])
    expect(three.messages.map(textOf)).toEqual(['pay 500', 'Let me.Paid!'])
    const output = two.lastMessage?.parts.find((part) => 'state' in part && part.state === 'output-available')
    expect(output).toMatchObject({ output: { receipt: 'for 500' } })
  })

  test('stop cancels the task at the agent', async () => {
    const { page, served } = await world(major, [{ text: ['half '], wait: new Promise(() => {}) }])
    const { transport, client } = await page()
    const chat = open({ id: 'c1', transport })
    const sending = chat.sendMessage({ text: 'hi' })
    await until(() => textOf(chat.lastMessage) === 'half ')
    await chat.stop()
    await sending
    const owner = { owner: `aether:${client.publicKey}`, anonymous: false }
    const context = {
      caller: owner,
      tenant: '',
      version: '1.0' as const,
      carrier: 'events' as const,
      extensions: new Set<string>(),
      activate() {},
    }
    const states = async () =>
      (await served.agent.engine.list({}, context)).tasks.map(({ status }) => status.state)
    while ((await states())[0] !== 'TASK_STATE_CANCELED')
      await new Promise((resolve) => setTimeout(resolve, 10))
    while ((await transport.history('c1')).length < 2) await new Promise((resolve) => setTimeout(resolve, 10))
    expect((await transport.history('c1')).map(textOf)).toEqual(['hi', 'half '])
  })

  test('regenerate replaces the answer', async () => {
    const { page, prompts } = await world(major, [{ text: ['A'] }, { text: ['B'] }])
    const { transport } = await page()
    const chat = open({ id: 'c1', transport })
    await chat.sendMessage({ text: 'hi' })
    await chat.regenerate()
    expect(chat.messages.map(textOf)).toEqual(['hi', 'B'])
    expect(JSON.stringify(prompts()[1])).not.toContain('"A"')
    expect((await transport.history('c1')).map(textOf)).toEqual(['hi', 'B'])
  })

  test('an agent that fails says so without its reasons', async () => {
    const { page, errors } = await world(major, [{ fails: 'hunter2' }])
    const { transport } = await page()
    const chat = open({ id: 'c1', transport })
    await chat.sendMessage({ text: 'hi' })
    expect(chat.status).toBe('error')
    expect(chat.error?.message).not.toContain('hunter2')
    await until(() => errors.length > 0)
    expect(String(errors)).toContain('hunter2')
  })

  test('an agent that shuts down in mid-answer says so', async () => {
    const { page, served } = await world(major, [{ text: ['half '], wait: new Promise(() => {}) }])
    const { transport } = await page()
    const chat = open({ id: 'c1', transport })
    const sending = chat.sendMessage({ text: 'hi' })
    await until(() => textOf(chat.lastMessage) === 'half ')
    await served.close()
    await sending
    expect(chat.status).toBe('error')
  })

  test('relays and others learn nothing of a chat', async () => {
    const { page, relay } = await world(major, [{ text: ['a secret answer'] }])
    const { transport } = await page()
    const chat = open({ id: 'chat-of-ada', transport })
    await chat.sendMessage({ text: 'a secret question' })
    const other = await connect(relay.url)
    onTestFinished(() => other.close())
    const seen = await other.query({ limit: 1000 })
    expect(seen.length).toBeGreaterThan(2)
    expect(JSON.stringify(seen.map(({ tags, text }) => [tags, text]))).not.toMatch(/secret|chat-of-ada/)
  })
})
