/** Policies on the shape of events, beyond the limits of spec 1.5: content and tags, for all kinds or some. */
import { type Event, type JsonObject, reject } from '@aetherkit/core'
import { isOfKind, type Policy } from '../policy.js'
import type { KindRange } from '../store/store.js'

/** Content of at most so many bytes: `too_large`. @throws RangeError for a negative or fractional number. */
export function maxContent(bytes: number, kinds?: readonly KindRange[]): Policy {
  assertCount('bytes', bytes)
  return shaped({ max_content: bytes }, kinds, ({ content }) =>
    content.length <= bytes ? undefined : reject('too_large', undefined, `content of at most ${bytes} bytes`),
  )
}

/** At most so many tags: `tag_limits`. @throws RangeError for a negative or fractional number. */
export function maxTags(count: number, kinds?: readonly KindRange[]): Policy {
  assertCount('count', count)
  return shaped({ max_tags_by_policy: count }, kinds, ({ tags }) =>
    tags.length <= count ? undefined : reject('tag_limits', undefined, `at most ${count} tags`),
  )
}

/** Every one of these tags: `blocked`. */
export function requireTags(keys: Iterable<string>, kinds?: readonly KindRange[]): Policy {
  const required = [...new Set(keys)]
  return shaped({ required_tags: required }, kinds, ({ tags }) => {
    const missing = required.find((key) => !tags.some(([name]) => name === key))
    return missing === undefined ? undefined : reject('blocked', undefined, `tag ${missing} is required`)
  })
}

/** None of these tags: `blocked`. */
export function blockTags(keys: Iterable<string>, kinds?: readonly KindRange[]): Policy {
  const blocked = new Set(keys)
  return shaped({ blocked_tags: [...blocked] }, kinds, ({ tags }) => {
    const found = tags.find(([name]) => blocked.has(name))
    return found === undefined ? undefined : reject('blocked', undefined, `tag ${found[0]} is not taken`)
  })
}

function shaped(
  info: JsonObject,
  kinds: readonly KindRange[] | undefined,
  judge: (event: Event) => ReturnType<Policy>,
): Policy {
  const rule = (event: Event) => (isOfKind(event.kind, kinds) ? judge(event) : undefined)
  // What holds for some kinds only has no place in the document.
  return Object.assign(rule, { stage: 'shape' as const, ...(kinds === undefined && { info }) })
}

function assertCount(name: string, value: number): void {
  if (!Number.isSafeInteger(value) || value < 0)
    throw new RangeError(`${name} must be an integer of 0 or more, got ${value}`)
}
