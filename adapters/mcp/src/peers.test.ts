/** The published MCP clients against the built binary over stdio, and against the handler over HTTP (spec frameworks 8). */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { request } from 'node:http'
import { fileURLToPath } from 'node:url'
import { type Client, connect } from '@aetherkit/client'
import { createRelay, type Relay } from '@aetherkit/relay'
import { createMCPClient } from '@ai-sdk/mcp'
import { Experimental_StdioMCPTransport } from '@ai-sdk/mcp/mcp-stdio'
import { MultiServerMCPClient } from '@langchain/mcp-adapters'
import { Client as Client2, StreamableHTTPClientTransport as Http2 } from '@modelcontextprotocol/client'
import { StdioClientTransport as Stdio2 } from '@modelcontextprotocol/client/stdio'
import { Client as Client1 } from '@modelcontextprotocol/sdk/client/index.js'
import { StdioClientTransport as Stdio1 } from '@modelcontextprotocol/sdk/client/stdio.js'
import { StreamableHTTPClientTransport as Http1 } from '@modelcontextprotocol/sdk/client/streamableHttp.js'
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest'
import { serveHttp } from '../test/fixture.js'
import { aetherServer } from './index.js'

vi.setConfig({ testTimeout: 30_000, hookTimeout: 30_000 })

const MAIN = fileURLToPath(new URL('../dist/main.js', import.meta.url))
const info = { name: 'peer', version: '1' }

let relay: Relay
let client: Client
let http: Awaited<ReturnType<typeof serveHttp>>

beforeAll(async () => {
  relay = await createRelay()
  client = await connect(relay.url)
  http = await serveHttp(() => aetherServer(client))
})
afterAll(async () => {
  await http?.close()
  await client?.close()
  await relay?.close()
})

/** What each client makes of a server: its tools, and all that a call gives or throws. */
interface Peer {
  names(): Promise<readonly string[]>
  call(name: string, args: Record<string, unknown>): Promise<unknown>
  close(): Promise<unknown>
}
type Transport = 'stdio' | 'http'
const stdio = () => ({ command: process.execPath, args: [MAIN, '--relay', relay.url] })

const peers: Record<string, (transport: Transport) => Promise<Peer>> = {
  'SDK v1': async (transport) => {
    const mcp = new Client1(info)
    await mcp.connect(transport === 'stdio' ? new Stdio1(stdio()) : new Http1(http.url))
    return {
      names: async () => (await mcp.listTools()).tools.map(({ name }) => name),
      call: (name, args) => mcp.callTool({ name, arguments: args }),
      close: () => mcp.close(),
    }
  },
  'SDK v2': async (transport) => peer2(transport, 'legacy'),
  'SDK v2 in the era of 2026': async (transport) => peer2(transport, 'auto'),
  'LangChain MCP adapters': async (transport) => {
    const server =
      transport === 'stdio'
        ? { transport: 'stdio' as const, ...stdio() }
        : { transport: 'http' as const, url: http.url.href }
    const mcp = new MultiServerMCPClient({ mcpServers: { aether: server } })
    const tools = await mcp.getTools()
    return {
      names: async () => tools.map(({ name }) => name),
      call: async (name, args) => tools.find((tool) => tool.name === name)?.invoke(args),
      close: () => mcp.close(),
    }
  },
  'AI SDK MCP': async (transport) => {
    const mcp = await createMCPClient({
      transport:
        transport === 'stdio'
          ? new Experimental_StdioMCPTransport(stdio())
          : { type: 'http', url: http.url.href },
    })
    const tools = await mcp.tools()
    return {
      names: async () => Object.keys(tools),
      call: async (name, args) => tools[name]?.execute(args, { toolCallId: 'c1', messages: [] }),
      close: () => mcp.close(),
    }
  },
}

async function peer2(transport: Transport, mode: 'legacy' | 'auto'): Promise<Peer> {
  const mcp = new Client2(info, { versionNegotiation: { mode } })
  await mcp.connect(transport === 'stdio' ? new Stdio2(stdio()) : new Http2(http.url))
  expect(mcp.getProtocolEra()).toBe(mode === 'auto' ? 'modern' : 'legacy')
  return {
    names: async () => (await mcp.listTools()).tools.map(({ name }) => name),
    call: (name, args) => mcp.callTool({ name, arguments: args }),
    close: () => mcp.close(),
  }
}

const matrix = Object.keys(peers).flatMap((name) =>
  (['stdio', 'http'] as const).map((how) => [name, how] as const),
)

describe.each(matrix)('%s over %s', (name, how) => {
  it('lists our tools, calls one, and reads a failure with its code', async () => {
    const peer = await peers[name]?.(how)
    if (peer === undefined) throw new Error(name)
    try {
      expect(await peer.names()).toContain('aether_request')
      const sent = JSON.stringify(await peer.call('aether_publish', { text: `hello of ${name}`, topic: how }))
      expect(sent).toContain('accepted by 1 relay')
      const [event] = await client.query({ kinds: [1], tags: [{ key: 't', any: [how] }], limit: 1 })
      expect(event?.text).toBe(`hello of ${name}`)
      const failed = await peer
        .call('aether_read_more', { id: '0'.repeat(64) })
        .catch((error: unknown) => String(error))
      expect(JSON.stringify(failed)).toContain('NOT_FOUND')
    } finally {
      await peer.close()
    }
  })
})

describe('over HTTP', () => {
  const list = { jsonrpc: '2.0', id: 1, method: 'tools/list' }
  const headers = { 'content-type': 'application/json', accept: 'application/json, text/event-stream' }
  const ask = (more: Record<string, string>) =>
    fetch(http.url, { method: 'POST', headers: { ...headers, ...more }, body: JSON.stringify(list) })

  it('a page of another origin is answered 403', async () => {
    expect((await ask({ origin: 'https://evil.example' })).status).toBe(403)
    expect((await ask({ origin: 'http://localhost:5173' })).status).toBe(200)
  })

  it('a foreign host name is answered 403', async () => {
    // `fetch` sets this header itself.
    const status = await new Promise<number | undefined>((resolve, reject) => {
      const foreign = { method: 'POST', headers: { ...headers, host: 'evil.example' } }
      const asked = request(http.url, foreign, (answer) => resolve(answer.resume().statusCode))
      asked.on('error', reject)
      asked.end(JSON.stringify(list))
    })
    expect(status).toBe(403)
  })
})

describe('aether-mcp', () => {
  async function run(args: readonly string[], env: Record<string, string> = {}) {
    const child = spawn(process.execPath, [MAIN, ...args], { env: { ...process.env, ...env } })
    child.stdin.end()
    let out = ''
    let err = ''
    child.stdout.on('data', (chunk) => (out += String(chunk)))
    child.stderr.on('data', (chunk) => (err += String(chunk)))
    const [code] = await once(child, 'close')
    return { code, out, err }
  }

  it('prints its help', async () => {
    const { code, out } = await run(['--help'])
    expect([code, out.split('\n')[0]]).toEqual([0, 'aether-mcp: Aether tools as an MCP server over stdio'])
  })

  it.each([
    [['--key', 'c0ffee'], {}],
    [['c0ffee'], {}],
    [['--per-call', 'all'], {}],
    [[], { AETHER_KEY: 'c0ffee' }],
    [[], { AETHER_WALLET: '[12648430]' }],
    [[], { AETHER_WALLET: JSON.stringify(Array(64).fill(7)) }],
  ])('exits with 2 for %j and %j, and repeats no key', async (args, env) => {
    const { code, out, err } = await run(args, env)
    expect([code, out]).toEqual([2, ''])
    expect(err).toMatch(/^aether-mcp: .*\(see --help\)\n$/)
    expect(err).not.toMatch(/c0ffee|12648430/)
  })

  it('exits with 3 where no relay answers', async () => {
    expect((await run(['--relay', 'ws://127.0.0.1:9'])).code).toBe(3)
  })

  it('ends with 0 when the host closes its end', async () => {
    const { code, out, err } = await run(['--relay', relay.url], { AETHER_KEY: '07'.repeat(32) })
    expect([code, out]).toEqual([0, ''])
    expect(err).toContain(
      'aether-mcp: agent ea4a6c63e29c520abef5507b132ec5f9954776aebebe7b92421eea691446d22c',
    )
  })
})
