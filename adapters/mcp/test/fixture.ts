/** A tool set for tests: one tool that does as told, one that pays, and the tools that the conformance suite asks for. */
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { createJournal, defineTool, type ModelPart, ToolError } from '@aetherkit/tools'
import { toNodeHandler } from '@modelcontextprotocol/node'
import type { McpServerFactory } from '@modelcontextprotocol/server'
import { z } from 'zod'
import { httpHandler } from '../src/index.js'

export interface TestContext {
  journal: ReturnType<typeof createJournal>
  payments: number
  onStall?: (signal: AbortSignal | undefined) => void
}

export const testContext = (): TestContext => ({ journal: createJournal(), payments: 0 })

const act = defineTool({
  name: 'act',
  title: 'Act',
  description: 'Does as told',
  input: z.object({ deed: z.string().describe('What to do') }),
  output: z.object({ deed: z.string(), proof: z.string() }),
  annotations: { readOnly: true },
  timeoutMs: 500,
  async execute(ctx: TestContext, { deed }: { deed: string }, { onProgress, signal }) {
    if (deed === 'refuse') throw new ToolError({ code: 'NOT_FOUND', message: 'no such agent' })
    if (deed === 'break') throw new Error('hunter2')
    if (deed === 'stall') return new Promise(() => ctx.onStall?.(signal))
    if (deed === 'progress') for (const state of ['half', 'all']) onProgress?.({ state })
    return { deed, proof: 'sealed' }
  },
  toModel: ({ deed }): string | ModelPart[] =>
    deed === 'draw'
      ? [
          { type: 'text', text: 'A picture.' },
          { type: 'file', mediaType: 'image/png', base64: 'AAAA' },
          { type: 'file', mediaType: 'audio/wav', base64: 'AAAA' },
          { type: 'file', mediaType: 'text/csv', base64: 'AAAA', filename: 'a b.csv' },
        ]
      : `Did ${deed}.`,
})

const pay = defineTool({
  name: 'pay',
  description: 'Pays',
  input: z.object({ amount: z.string().regex(/^\d+$/).transform(BigInt).describe('Atomic units') }),
  output: z.object({ receipt: z.string() }),
  annotations: { spends: true },
  approval: (_ctx: TestContext, { amount }: { amount: bigint }) => amount > 100n && `Pay ${amount} units?`,
  execute: async (ctx) => ({ receipt: String(++ctx.payments) }),
})

export const definitions = [act, pay]

const png = { type: 'file', mediaType: 'image/png', base64: 'iVBORw0KGgo=' } as const
const wav = { type: 'file', mediaType: 'audio/wav', base64: 'UklGRg==' } as const
const json = { type: 'file', mediaType: 'application/json', base64: 'e30=', filename: 'mixed.json' } as const
const words = (text: string) => ({ type: 'text', text }) as const

const shown: Readonly<Record<string, readonly ModelPart[]>> = {
  test_simple_text: [words('This is a simple text response for testing.')],
  test_image_content: [png],
  test_audio_content: [wav],
  test_embedded_resource: [json],
  test_multiple_content_types: [words('Multiple content types test:'), png, json],
  test_tool_with_progress: [words('done')],
}

/** The tools of the conformance suite that a tool definition can be. */
export const conformanceTools = [
  ...Object.entries(shown).map(([name, parts]) =>
    defineTool({
      name,
      description: `For the conformance suite: ${name}`,
      input: z.object({}),
      output: z.object({}),
      annotations: { readOnly: true },
      async execute(_ctx: TestContext, _input, { onProgress }) {
        if (name === 'test_tool_with_progress') for (const done of [0, 50, 100]) onProgress?.({ done })
        return {}
      },
      toModel: () => parts,
    }),
  ),
  defineTool({
    name: 'test_error_handling',
    description: 'For the conformance suite: always fails',
    input: z.object({}),
    output: z.object({}),
    async execute(_ctx: TestContext) {
      throw new ToolError({
        code: 'NOT_FOUND',
        message: 'This tool intentionally returns an error for testing',
      })
    },
  }),
]

/** Over streamable HTTP on a free port of this machine. */
export async function serveHttp(factory: McpServerFactory): Promise<{ url: URL; close(): Promise<void> }> {
  const handler = httpHandler(factory)
  const listener = toNodeHandler(handler)
  // Its types do not know `exactOptionalPropertyTypes`.
  const server: Server = createServer((request, response) => {
    void listener(request as Parameters<typeof listener>[0], response)
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  return {
    url: new URL(`http://127.0.0.1:${port}/mcp`),
    async close() {
      await handler.close()
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
    },
  }
}
