/** The mapping, through the published clients of both SDK generations and both protocol eras (spec frameworks 5, 8). */
import { Client as Client2, StreamableHTTPClientTransport } from '@modelcontextprotocol/client'
import { Client as Client1 } from '@modelcontextprotocol/sdk/client/index.js'
import { InMemoryTransport as Memory1 } from '@modelcontextprotocol/sdk/inMemory.js'
import { ElicitRequestSchema } from '@modelcontextprotocol/sdk/types.js'
import { InMemoryTransport } from '@modelcontextprotocol/server'
import { afterEach, describe, expect, it } from 'vitest'
import { definitions, type TestContext, testContext } from '../test/fixture.js'
import { httpHandler, type McpServerOptions, mcpServer } from './index.js'

interface Called {
  content: { type: string; text?: string }[]
  structuredContent?: unknown
  isError?: boolean
}
interface Peer {
  call(
    name: string,
    args: Record<string, unknown>,
    options?: { signal?: AbortSignal; onprogress?: (p: unknown) => void },
  ): Promise<Called>
  tools(): Promise<
    {
      name: string
      title?: string | undefined
      inputSchema: unknown
      outputSchema?: unknown
      annotations?: unknown
    }[]
  >
  close(): Promise<void>
}
/** Answers questions to the human; without one the host cannot ask. */
type Human = (message: string) => { action: 'accept' | 'decline' | 'cancel'; content?: { approve: boolean } }
type Connect = (ctx: TestContext, options?: McpServerOptions, human?: Human) => Promise<Peer>

const info = { name: 'test', version: '1' }
const open: Peer[] = []
afterEach(async () => {
  await Promise.all(open.splice(0).map((peer) => peer.close()))
})

const v1: Connect = async (ctx, options, human) => {
  const server = mcpServer(definitions, ctx, options)
  const client = new Client1(info, { capabilities: human === undefined ? {} : { elicitation: {} } })
  if (human !== undefined)
    client.setRequestHandler(ElicitRequestSchema, async ({ params }) => human(params.message))
  const [ours, theirs] = Memory1.createLinkedPair()
  await Promise.all([server.connect(ours), client.connect(theirs)])
  return {
    call: async (name, args, call) =>
      (await client.callTool({ name, arguments: args }, undefined, call)) as Called,
    tools: async () => (await client.listTools()).tools,
    close: () => client.close(),
  }
}

const client2 = (mode: 'legacy' | 'auto', human: Human | undefined) => {
  const capabilities = human === undefined ? {} : { elicitation: { form: {} } }
  const client = new Client2(info, { capabilities, versionNegotiation: { mode } })
  if (human !== undefined)
    client.setRequestHandler('elicitation/create', async ({ params }) => human(params.message))
  return client
}

const peer2 = (client: Client2): Peer => ({
  call: async (name, args, call) => (await client.callTool({ name, arguments: args }, call)) as Called,
  tools: async () => (await client.listTools()).tools,
  close: () => client.close(),
})

const v2: Connect = async (ctx, options, human) => {
  const client = client2('legacy', human)
  const [ours, theirs] = InMemoryTransport.createLinkedPair()
  await Promise.all([mcpServer(definitions, ctx, options).connect(ours), client.connect(theirs)])
  return peer2(client)
}

const modern: Connect = async (ctx, options, human) => {
  const handler = httpHandler(() => mcpServer(definitions, ctx, options))
  const client = client2('auto', human)
  const fetch = (url: string | URL, init?: RequestInit) => {
    const request = new Request(url, init)
    request.headers.set('host', 'localhost')
    return handler.fetch(request)
  }
  await client.connect(new StreamableHTTPClientTransport(new URL('http://localhost/mcp'), { fetch }))
  expect(client.getProtocolEra()).toBe('modern')
  return peer2(client)
}

describe.each<[string, Connect]>([
  ['SDK v1', v1],
  ['SDK v2', v2],
  ['SDK v2 over HTTP, in the era of 2026', modern],
])('%s', (_name, connect) => {
  async function setUp(options: McpServerOptions = {}, human?: Human) {
    const ctx = testContext()
    const bugs: unknown[] = []
    const peer = await connect(ctx, { onBug: (error) => bugs.push(error), ...options }, human)
    open.push(peer)
    return { ctx, bugs, peer }
  }
  const textOf = ({ content }: Called) => content[0]?.text ?? ''
  const errorOf = (called: Called) => {
    expect(called.isError).toBe(true)
    expect(called.structuredContent).toBeUndefined()
    return JSON.parse(textOf(called))
  }
  const key = (name: string) => ({ idempotency_key: `purchase-${name}` })

  it('lists title, schemas and hints, and the key of the call where a tool spends', async () => {
    const { peer } = await setUp({ prefix: 'my_' })
    const [act, pay] = await peer.tools()
    expect(act).toMatchObject({
      name: 'my_act',
      title: 'Act',
      inputSchema: { type: 'object', properties: { deed: { type: 'string', description: 'What to do' } } },
      outputSchema: { type: 'object', required: ['deed', 'proof'] },
      annotations: { readOnlyHint: true, destructiveHint: false, idempotentHint: true, openWorldHint: true },
    })
    expect(pay).toMatchObject({
      inputSchema: { required: ['amount', 'idempotency_key'] },
      annotations: { readOnlyHint: false, destructiveHint: true, idempotentHint: true },
    })
  })

  it('gives the model the short text and the host the output', async () => {
    const { peer } = await setUp()
    const called = await peer.call('act', { deed: 'answer' })
    expect(called.content).toEqual([{ type: 'text', text: 'Did answer.' }])
    expect(called.structuredContent).toEqual({ deed: 'answer', proof: 'sealed' })
    expect(called.isError ?? false).toBe(false)
  })

  it('gives an expected error as an error result with its code', async () => {
    const { peer } = await setUp()
    expect(errorOf(await peer.call('act', { deed: 'refuse' }))).toEqual({
      error: 'NOT_FOUND',
      message: 'no such agent',
      retryable: false,
    })
  })

  it('hides an unknown exception behind INTERNAL and reports it', async () => {
    const { peer, bugs } = await setUp()
    const called = await peer.call('act', { deed: 'break' })
    expect(errorOf(called).error).toBe('INTERNAL')
    expect(JSON.stringify(called)).not.toContain('hunter2')
    expect(String(bugs[0])).toContain('hunter2')
  })

  it('answers TIMEOUT for a tool that is late', async () => {
    const { peer } = await setUp()
    expect(errorOf(await peer.call('act', { deed: 'stall' })).error).toBe('TIMEOUT')
  })

  it('names the field of an invalid argument, and does not run', async () => {
    const { peer, ctx } = await setUp()
    const { error, message } = errorOf(await peer.call('pay', { amount: 'all', ...key('invalid') }))
    expect(error).toBe('REJECTED')
    expect(message).toContain('amount')
    expect(ctx.payments).toBe(0)
  })

  it('gives images, audio and files as content of their own', async () => {
    const { peer } = await setUp()
    expect((await peer.call('act', { deed: 'draw' })).content).toMatchObject([
      { type: 'text', text: 'A picture.' },
      { type: 'image', mimeType: 'image/png', data: 'AAAA' },
      { type: 'audio', mimeType: 'audio/wav', data: 'AAAA' },
      { type: 'resource', resource: { uri: 'attachment:///a%20b.csv', mimeType: 'text/csv', blob: 'AAAA' } },
    ])
  })

  it('reports progress to a host that gave a token', async () => {
    const { peer } = await setUp()
    const seen: unknown[] = []
    await peer.call('act', { deed: 'progress' }, { onprogress: (progress) => seen.push(progress) })
    expect(seen).toMatchObject([
      { progress: 1, message: '{"state":"half"}' },
      { progress: 2, message: '{"state":"all"}' },
    ])
  })

  it('aborts the tool when the host cancels the call', async () => {
    const { peer, ctx } = await setUp()
    const stop = new AbortController()
    const stalled = new Promise<AbortSignal | undefined>((resolve) => {
      ctx.onStall = resolve
    })
    const calling = peer
      .call('act', { deed: 'stall' }, { signal: stop.signal })
      .catch((error: unknown) => error)
    const signal = await stalled
    stop.abort(new Error('enough'))
    expect(await calling).toBeInstanceOf(Error)
    await expect.poll(() => signal?.aborted).toBe(true)
  })

  it('pays once for the same key, however often the call is repeated', async () => {
    const { peer, ctx } = await setUp()
    const twice = await Promise.all([1, 2].map(() => peer.call('pay', { amount: '5', ...key('once') })))
    const again = await peer.call('pay', { amount: '5', ...key('once') })
    for (const called of [...twice, again]) expect(called.structuredContent).toEqual({ receipt: '1' })
    expect(errorOf(await peer.call('pay', { amount: '6', ...key('once') })).error).toBe('REJECTED')
    expect(ctx.payments).toBe(1)
  })

  it('pays nothing without a key', async () => {
    const { peer, ctx } = await setUp()
    expect(errorOf(await peer.call('pay', { amount: '5' }))).toMatchObject({ error: 'REJECTED', paid: false })
    expect(ctx.payments).toBe(0)
  })

  it('denies what needs a human where the host cannot ask one', async () => {
    const { peer, ctx } = await setUp()
    const denied = errorOf(await peer.call('pay', { amount: '500', ...key('nobody') }))
    expect(denied).toMatchObject({ error: 'NEEDS_APPROVAL', retryable: false, paid: false })
    expect(denied.message).toContain('do not retry')
    expect(ctx.payments).toBe(0)
  })

  it('asks through a host that can, with the text of the definition, and once', async () => {
    const asked: string[] = []
    const human: Human = (message) => {
      asked.push(message)
      return { action: 'accept', content: { approve: true } }
    }
    const { peer, ctx } = await setUp({}, human)
    for (let each = 0; each < 2; each++) {
      const called = await peer.call('pay', { amount: '500', ...key('asked') })
      expect(called.structuredContent).toEqual({ receipt: '1' })
    }
    expect(asked).toEqual(['Pay 500 units?'])
    expect(ctx.payments).toBe(1)
  })

  it.each<ReturnType<Human>>([
    { action: 'decline' },
    { action: 'cancel' },
    { action: 'accept', content: { approve: false } },
  ])('pays nothing after %j', async (answer) => {
    const { peer, ctx } = await setUp({}, () => answer)
    expect(errorOf(await peer.call('pay', { amount: '500', ...key('no') }))).toMatchObject({
      error: 'NEEDS_APPROVAL',
      message: expect.stringContaining('denied by a human'),
    })
    expect(ctx.payments).toBe(0)
  })

  it('asks nobody when the server says never', async () => {
    const { peer, ctx } = await setUp({ approvals: 'never' }, () => ({
      action: 'accept',
      content: { approve: true },
    }))
    expect(errorOf(await peer.call('pay', { amount: '500', ...key('never') })).error).toBe('NEEDS_APPROVAL')
    expect(ctx.payments).toBe(0)
  })
})

it('refuses a price for a tool that is not there', () => {
  const prices = { tools: { sing: { price: '$1' } } }
  expect(() =>
    mcpServer(definitions, testContext(), {
      prices: { ...prices, gate: {} as never, network: 'solana-devnet', payTo: '' },
    }),
  ).toThrow(TypeError)
})
