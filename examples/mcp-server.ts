/** `aether-mcp` as Claude or Cursor start it: a host lists its tools, and its model calls another agent through the relay. */
import assert from 'node:assert/strict'
import { fileURLToPath } from 'node:url'
import { connect } from '@aetherkit/client'
import { createRelay } from '@aetherkit/relay'
import { Client } from '@modelcontextprotocol/client'
import { StdioClientTransport } from '@modelcontextprotocol/client/stdio'

const relay = await createRelay({ port: 0 })

// Another agent, somewhere on the relay: it counts words for whoever asks.
const counter = await connect(relay.url)
counter.serve('count', (payload) => ({ words: String(payload).split(/\s+/).length }))
await counter.advertise({
  name: 'word counter',
  capabilities: [{ name: 'count', description: 'counts words' }],
})

// What stands in a host's configuration: {"command": "npx", "args": ["-y", "-p", "@aetherkit/mcp", "aether-mcp", "--relay", "wss://…"]}
const main = fileURLToPath(new URL('main.js', import.meta.resolve('@aetherkit/mcp')))
const host = new Client({ name: 'example', version: '1.0.0' })
await host.connect(
  new StdioClientTransport({ command: process.execPath, args: [main, '--relay', relay.url] }),
)

const { tools } = await host.listTools()
for (const { name, title, annotations } of tools)
  console.log(`${name}: ${title}${annotations?.readOnlyHint ? ' (reads only)' : ''}`)
assert.equal(tools.length, 9)

const found = await host.callTool({ name: 'aether_discover', arguments: { capability: 'count' } })
assert.match(JSON.stringify(found.structuredContent), new RegExp(counter.publicKey))

const answered = await host.callTool({
  name: 'aether_request',
  arguments: { to: counter.publicKey, action: 'count', payload: 'agents that talk to each other' },
})
const [text] = answered.content
assert.equal(text?.type, 'text')
console.log(`the model reads: ${text.text}`)
assert.match(text.text, /words.{3,5}6/)

// A failure is a result with a code, for the model to act on.
const failed = await host.callTool({ name: 'aether_read_more', arguments: { id: '0'.repeat(64) } })
assert.equal(failed.isError, true)
assert.match(JSON.stringify(failed.content), /NOT_FOUND/)

await host.close()
await counter.close()
await relay.close()
