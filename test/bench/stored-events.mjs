/**
 * A million events of the right shape that nobody signed: the store judges none of that. By number, so that filler and
 * readers agree on what is there: 1,000 authors, 20 kinds, 1,000 topics, one event a second.
 */
import { createHash } from 'node:crypto'

export const AUTHORS = 1000
export const KINDS = 20
export const TOPICS = 1000
const START = 1_700_000_000n * 1_000_000_000n
const SECOND = 1_000_000_000n
const CONTENT = Buffer.alloc(400, 'stored content of an agent, ')

/** 64 hex digits, the same for the same text. */
function digest(text) {
  return createHash('sha256').update(text).digest('hex')
}

const authors = Array.from({ length: AUTHORS }, (_, i) => digest(`author ${i}`))

export function storedEvent(i) {
  const id = digest(`event ${i}`)
  // The id is as good as random: it picks author and topic.
  const mixed = Number.parseInt(id.slice(0, 8), 16)
  return {
    id,
    pubkey: authors[mixed % AUTHORS],
    createdAt: START + BigInt(i) * SECOND,
    kind: 1 + (i % KINDS),
    tags: [['t', `topic-${Math.floor(mixed / AUTHORS) % TOPICS}`]],
    content: CONTENT,
    sig: id + id,
  }
}

/** Query `round` of each sort; every one matches at least 500 of a million events. */
export function queries(events, round) {
  const middle = START + BigInt(Math.floor((events * (round + 1)) / 64)) * SECOND
  return {
    author: { authors: [authors[(round * 37) % AUTHORS]] },
    kind: { kinds: [1 + (round % KINDS)] },
    tag: { tags: [{ key: 't', any: [`topic-${(round * 41) % TOPICS}`] }] },
    time: { since: middle, until: middle + 2000n * SECOND },
  }
}
