/** Every Aether tool through the conformance suite, as a tool of the AI SDK (spec frameworks 11.1). */
import { type Client, connect } from '@aetherkit/client'
import { createRelay, type Relay } from '@aetherkit/relay'
import { aetherToolCases, type ToolSurface, toolChecks } from '@aetherkit/tools/testing'
import { asSchema as asSchema6 } from 'ai'
import { asSchema as asSchema7 } from 'ai7'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { aetherTools, toAiSdkTools } from './index.js'

let relay: Relay
let client: Client
let peer: Client

beforeAll(async () => {
  relay = await createRelay()
  client = await connect(relay.url)
  peer = await connect(relay.url)
})

afterAll(async () => {
  await Promise.all([client?.close(), peer?.close()])
  await relay?.close()
})

/** The schemas as either major sends them, and what `execute` gives or throws. */
const aiSdk: ToolSurface = {
  name: 'AI SDK',
  convert(definition) {
    for (const { inputSchema, outputSchema } of Object.values(toAiSdkTools([definition], {}))) {
      return [asSchema6(inputSchema), asSchema7(inputSchema), asSchema6(outputSchema)].map(
        (each) => each.jsonSchema,
      )
    }
  },
  async call(definition, ctx, input, { callId, onBug }) {
    const [tool] = Object.values(toAiSdkTools([definition], ctx, { onBug }))
    return tool?.execute(input, { toolCallId: callId }).catch((error: unknown) => ({ error }))
  },
}

it('every Aether tool passes the conformance suite', async () => {
  for (const { name, run } of toolChecks(await aetherToolCases(client, peer), [aiSdk])) {
    await expect(run(), name).resolves.toBeUndefined()
  }
})

it('aetherTools has every tool by its name, with the prefix', () => {
  expect(Object.keys(aetherTools(client, { prefix: 'my_' }))).toContain('my_aether_request')
  expect(aetherTools(client).aether_publish.description).toMatch(/^Publish/)
})
