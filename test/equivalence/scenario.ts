/** What is published on every surface, step by step, and the verdict that each step must get whatever the surface. */
import type { Event, RejectCode } from '@aetherkit/core'
import { createAuthor } from '../../relay/test/signing.js'

export interface Step {
  readonly what: string
  readonly event: Event
  readonly verdict: 'accepted' | 'duplicate' | 'superseded' | RejectCode
}

const HOUR = 3_600_000_000_000n

/** Events of one new author. */
export function scenario(): readonly Step[] {
  const { sign } = createAuthor()
  const [old, kept, newer] = [sign({ kind: 10_500 }), sign({ content: 'kept' }), sign({ kind: 10_500 })]
  const [oldPart, newPart] = [
    sign({ kind: 30_001, tags: [['d', 'x']] }),
    sign({ kind: 30_001, tags: [['d', 'x']] }),
  ]
  const ephemeral = sign({ kind: 20_500 })
  const now = kept.createdAt
  const seconds = now / 1_000_000_000n
  const step = (what: string, verdict: Step['verdict'], event: Event): Step => ({ what, verdict, event })
  return [
    step('an immutable event', 'accepted', kept),
    step(
      'text beyond the basic plane',
      'accepted',
      sign({ kind: 0, content: '{"name":"é \u2028 \\"quoted\\" \u{1f600}"}' }),
    ),
    step(
      'controls, tags of many shapes',
      'accepted',
      sign({ content: '\n\r\0\t\u001f', tags: [['t', 'a', 'b'], ['t'], ['e', ''], ['p', 'x'.repeat(1024)]] }),
    ),
    step('the first once more', 'duplicate', kept),
    step('a replaceable event', 'accepted', newer),
    step('an older one of its key', 'superseded', old),
    step('a parameterized event', 'accepted', newPart),
    step('an older one of its key and d', 'superseded', oldPart),
    step('one of another d', 'accepted', sign({ kind: 30_001, tags: [['d', 'y']] })),
    step('an ephemeral event', 'accepted', ephemeral),
    step('the same once more', 'duplicate', ephemeral),
    step('created in 1970', 'accepted', sign({ kind: 5000, createdAt: 1n })),
    step(
      'expires in an hour',
      'accepted',
      sign({ kind: 39_999, tags: [['expiration', `${seconds + 3600n}`]] }),
    ),
    step('expired a minute ago', 'expired', sign({ tags: [['expiration', `${seconds - 60n}`]] })),
    step('created in an hour', 'created_at_out_of_window', sign({ createdAt: now + HOUR })),
    step('ephemeral, an hour old', 'created_at_out_of_window', sign({ kind: 20_500, createdAt: now - HOUR })),
    step('a signature of zeros', 'invalid_signature', { ...sign(), sig: '00'.repeat(64) }),
    step('other content than signed', 'id_mismatch', { ...sign(), content: Buffer.from('tampered') }),
    step('kind 40000', 'kind_out_of_range', sign({ kind: 40_000 })),
    step('a tag key of 33 bytes', 'tag_limits', sign({ tags: [['k'.repeat(33), 'v']] })),
    step('525,000 bytes', 'too_large', sign({ content: 'x'.repeat(525_000) })),
    step('the last', 'accepted', sign({ content: 'last' })),
  ]
}
