/** Child of match.mjs: the index alone, without sockets. */
import { compileFilter } from '@aetherkit/core'
import { answer } from './load-child.mjs'

const { SubscriptionIndex } = await import(new URL('../../relay/dist/match.js', import.meta.url).href)

const AGENTS = 20_000
const TOPICS = 5_000
const KINDS = [0, 1, 7, 1000, 1001, 10002, 20001, 21000, 30001]

answer({
  measure({ subscriptions, events: count }) {
    const random = generator(7)
    const below = (n) => Math.floor(random() * n)
    const agent = (n) => n.toString(16).padStart(8, '0').repeat(8)
    const kind = () => KINDS[below(KINDS.length)]

    /** What agents ask for: calls to themselves, authors they follow, topics, one kind of a few authors. */
    const filter = (i) => {
      const sort = random()
      if (sort < 0.5) return { kinds: [21000], tags: [{ key: 'p', any: [agent(i % AGENTS)] }] }
      if (sort < 0.75) return { authors: [agent(below(AGENTS)), agent(below(AGENTS)), agent(below(AGENTS))] }
      if (sort < 0.9) return { tags: [{ key: 't', any: [`topic-${below(TOPICS)}`] }] }
      if (sort < 0.999) return { authors: [agent(below(AGENTS))], kinds: [kind(), kind()] }
      return { kinds: [kind()], since: BigInt(below(1e9)) }
    }
    const event = (i) => ({
      id: i.toString(16).padStart(64, 'a'),
      pubkey: agent(below(AGENTS)),
      createdAt: BigInt(below(1e9)),
      kind: kind(),
      tags: [
        ['p', agent(below(AGENTS))],
        ['t', `topic-${below(TOPICS)}`],
      ],
      content: new Uint8Array(400),
      sig: 'c'.repeat(128),
    })

    const filters = Array.from({ length: subscriptions }, (_, i) => filter(i))
    const events = Array.from({ length: count }, (_, i) => event(i))
    const index = new SubscriptionIndex()
    const begun = performance.now()
    filters.forEach((wanted, i) => {
      index.add({ i }, [wanted])
    })
    const add = ((performance.now() - begun) * 1000) / subscriptions

    const times = new Float64Array(count)
    let wanted = 0
    for (let i = -2000; i < count; i++) {
      const one = events[(i + count) % count]
      const started = performance.now()
      const groups = index.match(one)
      const took = performance.now() - started
      if (i < 0) continue
      times[i] = took * 1000
      wanted += size(groups)
    }
    const mean = times.reduce((sum, time) => sum + time, 0) / count
    return { add, mean, p99: times.sort()[Math.floor(count * 0.99)], wanted: wanted / count, ...scan() }

    function scan() {
      const checks = filters.map(compileFilter)
      const sample = events.slice(0, 20)
      const started = performance.now()
      const hits = sample.map((one) => checks.reduce((sum, check) => sum + (check(one) ? 1 : 0), 0))
      const took = ((performance.now() - started) * 1000) / sample.length
      return { scan: took, agrees: sample.every((one, i) => size(index.match(one)) === hits[i]) }
    }
  },
})

function size(groups) {
  let sum = 0
  for (const group of groups) sum += group.size
  return sum
}

/** mulberry32: the same numbers in every run. */
function generator(seed) {
  let state = seed
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let t = Math.imul(state ^ (state >>> 15), 1 | state)
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296
  }
}
