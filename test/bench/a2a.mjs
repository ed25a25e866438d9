/**
 * A2A: what a task of many chunks costs, calls, cancels, signed requests, and calls over Aether events. Beside each the
 * published SDK's own server, with an executor that does the same, under the same load in the same run.
 */
import { startLoad, startRelay } from './harness.mjs'

const SDK = 'the server of @a2a-js/sdk 1.3'
const MIB = 1024 * 1024

export async function run(bench) {
  const scale = bench.quick ? 0.1 : 1
  const times = (count) => Math.round(count * scale)
  const load = await startLoad('./load-a2a.mjs')
  const start = async (options) => {
    const server = await startLoad('./a2a-server.mjs', { execArgv: ['--expose-gc'] })
    return { ...server, url: await server.ask('open', options) }
  }
  const ours = await start({ kind: 'ours' })
  const sdk = await start({ kind: 'sdk' })
  const sides = { ours, sdk }
  /** One side after the other, so that neither takes the other's processor. */
  const both = async (measure) => {
    const found = {}
    for (const [name, side] of Object.entries(sides)) found[name] = await measure(side)
    return found
  }
  const row = (figure, unit, { ours: value, sdk: limit }, more = {}) =>
    bench.row({ figure, value, unit, limit, limitName: SDK, ...more })

  // Nothing is fast the first time.
  await both(({ ask, url }) =>
    ask('stream', { text: 'chunks 50' }).then(() => load.ask('rate', { url, count: 80, concurrency: 4 })),
  )
  await chunks(row, both, start, load, times)
  await calls(row, both, load, times)
  await paused(row, both, load, bench.quick)
  const cancels = await both(({ url }) => load.ask('cancels', { url, count: Math.max(20, times(100)) }))
  const worst = (all) => Math.max(...all)
  row(
    'cancel of running work, p50',
    'ms',
    map(cancels, (all) => at(all, 0.5)),
  )
  row('cancel of running work, worst', 'ms', map(cancels, worst), { aim: '<= 2,000' })
  await requests(bench, ours, load, times)
  await overEvents(bench, ours, load, times)
}

async function chunks(row, both, start, load, times) {
  const [many, fewer] = [times(4_000), times(2_000)]
  const text = `chunks ${many}`
  const aim = '< 0.5'
  const each = await start({ kind: 'ours', coalesceBytes: 1 })
  await each.ask('stream', { text: 'chunks 50' })
  const inside = await both(({ ask }) => ask('stream', { text }))
  row(`${count(many)} chunks of 1 KiB through a task, in the process`, 's', inside, {
    aim,
    note: 'the executor kit coalesces up to 8 KiB',
  })
  const single = { ours: await each.ask('stream', { text }), sdk: inside.sdk }
  row(`${count(many)} chunks, each an update of its own`, 's', single, { aim, note: 'without coalescing' })
  await each.stop()
  const streamed = await both(({ url }) => load.ask('whole', { url, text, method: 'SendStreamingMessage' }))
  row(`${count(many)} chunks of 1 KiB, streamed over HTTP`, 's', streamed, { aim })
  const blocking = { text: `chunks ${fewer}`, method: 'SendMessage' }
  row(
    `blocking send of ${count(fewer)} chunks`,
    's',
    await both(({ url }) => load.ask('whole', { url, ...blocking })),
  )
}

async function calls(row, both, load, times) {
  for (const concurrency of [1, 16]) {
    const rounds = []
    for (let round = 0; round < 3; round++)
      rounds.push(await both(({ url }) => load.ask('rate', { url, count: times(2_000), concurrency })))
    const found = map({ ours: rounds.map(({ ours }) => ours), sdk: rounds.map(({ sdk }) => sdk) }, (rates) =>
      at(rates, 0.5),
    )
    const figure = `SendMessage, ${concurrency === 1 ? 'one after the other' : `${concurrency} at once`}`
    row(figure, 'calls/s', found, { aim: '>= 1', note: 'the middle of three rounds' })
  }
}

/** 187 MiB in all: what of it waits in the server for one who does not read. */
async function paused(row, both, load, quick) {
  const text = `large ${quick ? 300 : 1_500}`
  const found = await both(async (side) => {
    const before = await side.ask('memory')
    await side.ask('queued')
    const reading = load.ask('paused', { url: side.url, text, ms: quick ? 2_000 : 6_000 })
    let peak = 0
    const watch = setInterval(
      () => side.ask('memory').then(({ heap }) => (peak = Math.max(peak, heap - before.heap))),
      700,
    )
    await reading
    clearInterval(watch)
    return { queued: (await side.ask('queued')) / MIB, peak: peak / MIB }
  })
  row(
    'queued in the response for a paused reader, most',
    'MiB',
    map(found, ({ queued }) => queued),
    { aim: '<= 1' },
  )
  row(
    'heap of the server by a paused reader',
    'MiB',
    map(found, ({ peak }) => peak),
    {
      note: 'after garbage collection; task, queue and the ring for resume included',
    },
  )
}

async function requests(bench, { url }, load, times) {
  const found = await load.ask('requests', { url, count: Math.max(200, times(6_000)), concurrency: 16 })
  bench.row({
    figure: 'agent.request, 16 at once',
    value: found.requests,
    unit: 'calls/s',
    limit: found.checks,
    limitName: 'signature checks alone, one core',
    note: 'signed before the clock starts; each is a task of its own',
  })
}

async function overEvents(bench, { url, ask }, load, times) {
  const relay = await startRelay({ storage: 'memory' })
  const address = `ws://127.0.0.1:${relay.port}`
  const to = await ask('serve', { relay: address })
  await load.ask('join', { relay: address, to })
  const calls = Math.max(50, times(500))
  const http = await load.ask('calls', { url, count: calls })
  const events = await load.ask('eventCalls', { count: calls })
  for (const [name, share] of [
    ['p50', 0.5],
    ['p99', 0.99],
  ])
    bench.row({
      figure: `SendMessage over Aether events, ${name}`,
      value: at(events, share),
      unit: 'ms',
      limit: at(http, share),
      limitName: 'the same call over HTTP',
      note: name === 'p50' ? 'sealed and signed both ways, over a relay on loopback' : '',
    })
  await relay.stop()
}

const map = ({ ours, sdk }, figure) => ({ ours: figure(ours), sdk: figure(sdk) })
const count = (n) => n.toLocaleString('en-US')

function at(milliseconds, share) {
  const sorted = [...milliseconds].sort((a, b) => a - b)
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))]
}
