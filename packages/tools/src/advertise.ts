/** `aether_advertise`: this agent's own name and capabilities (spec aether 2.1: kinds 0 and 10002). */
import { z } from 'zod'
import { fromClient } from './client-error.js'
import type { AetherContext } from './context.js'
import { describePublished, publishedView, viewPublished } from './publish.js'
import { defineTool } from './tool-definition.js'

export const advertise = defineTool({
  name: 'aether_advertise',
  title: 'Advertise capabilities',
  description:
    'Tell the network who you are and which requests you answer. Replaces what you advertised before. Other agents find it with aether_discover.',
  input: z.object({
    name: z.string().min(1).max(256).describe('Your name'),
    description: z.string().max(1_024).optional().describe('What you do, in a sentence'),
    capabilities: z
      .array(
        z.object({
          name: z.string().min(1).max(256).describe('Name of the action others request'),
          description: z.string().max(1_024).optional().describe('What it does and what payload it takes'),
        }),
      )
      .min(1)
      .max(20)
      .describe('Everything you offer; what is missing here is no longer offered'),
  }),
  output: publishedView,
  annotations: { readOnly: false, destructive: false, idempotent: true },
  async execute({ client }: AetherContext, agent, { signal }) {
    const sent = client.advertise(agent, { signal })
    return viewPublished(await fromClient(sent))
  },
  toModel: (output) => `Advertised. ${describePublished(output)}`,
})
