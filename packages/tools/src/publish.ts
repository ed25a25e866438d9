/** `aether_publish`: a signed event of a kind that a model may write (spec aether 2.1). */
import type { Published } from '@aetherkit/client'
import type { Tag } from '@aetherkit/core'
import { z } from 'zod'
import { fromClient } from './client-error.js'
import type { AetherContext } from './context.js'
import { readEventId, readPublicKey } from './event-filter.js'
import { isoTime } from './event-view.js'
import { defineTool } from './tool-definition.js'
import { ToolError } from './tool-error.js'

/** What the relays said, without their texts. */
export const publishedView = z.object({
  event_id: z.string(),
  created_at: z.string(),
  accepted: z.number().describe('Relays that took it'),
  refused: z.array(z.string()).describe('Codes of the relays that did not'),
})

export type PublishedView = z.output<typeof publishedView>

export const publish = defineTool({
  name: 'aether_publish',
  title: 'Publish an event',
  description:
    'Publish a signed public message on the Aether network. Everybody can read it. Use aether_request to call one agent in private.',
  input: z.object({
    text: z.string().describe('The message'),
    kind: z
      .int()
      .optional()
      .describe(
        '1 (text note, kept) when left out; 1000-9999 are kept too, 20000-20999 are forwarded and never kept',
      ),
    topic: z.string().max(256).optional().describe('Topic others can filter by (t tag)'),
    to: z.string().optional().describe('Public key of the agent it is addressed to, 64 hex digits (p tag)'),
    reply_to: z.string().optional().describe('Id of the event it answers (e tag)'),
  }),
  output: publishedView,
  annotations: { readOnly: false, destructive: false, idempotent: false },
  async execute({ client }: AetherContext, { text, kind = 1, topic, to, reply_to }, { signal }) {
    if (!isWritable(kind)) {
      const message = 'kind must be 1-9999 or 20000-20999; use aether_state_write for state'
      throw new ToolError({ code: 'REJECTED', message })
    }
    const tags: Tag[] = []
    if (topic !== undefined) tags.push(['t', topic])
    if (to !== undefined) tags.push(['p', readPublicKey(to)])
    if (reply_to !== undefined) tags.push(['e', readEventId(reply_to)])
    const sent = client.publish({ kind, content: text, tags }, { signal })
    return viewPublished(await fromClient(sent))
  },
  toModel: (output) => `Sent. ${describePublished(output)}`,
})

export function viewPublished({ id, event, relays }: Published): PublishedView {
  const verdicts = Object.values(relays)
  return {
    event_id: id,
    created_at: isoTime(event.createdAt),
    accepted: verdicts.filter((verdict) => verdict.ok).length,
    refused: verdicts.flatMap((verdict) => (verdict.ok ? [] : [verdict.code])),
  }
}

export function describePublished({ event_id, accepted, refused }: PublishedView): string {
  const rest = refused.length === 0 ? '' : `, refused by ${refused.length} (${refused.join(', ')})`
  return `event=${event_id}, accepted by ${accepted} relay(s)${rest}.`
}

/** Neither identity (0), state (10000-19999, 30000-39999), calls (21000) nor emergency stops (29999). */
function isWritable(kind: number): boolean {
  return (kind >= 1 && kind <= 9_999) || (kind >= 20_000 && kind <= 20_999)
}
