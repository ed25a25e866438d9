/** Resident memory of the relay per idle connection and per subscription, beside a bare `ws` server. */
import { startLoad, startRelay } from './harness.mjs'
import { openFileLimit } from './machine.mjs'

const WANTED = 10_000
/** Files that a process needs besides its connections. */
const SPARE_FILES = 200
const PER_CONNECTION = 200
/** So that garbage does not count. */
const COLLECTED = ['--expose-gc']

export async function run(bench) {
  const allowed = Math.max(0, openFileLimit() - SPARE_FILES)
  const connections = Math.min(bench.quick ? 1_000 : WANTED, allowed)
  if (allowed < WANTED) console.log(`  ulimit -n allows ${connections} connections only`)
  const subscriptions = bench.quick ? 2_000 : 20_000

  const load = await startLoad('./load-memory.mjs')
  const bare = await startLoad('./bare-server.mjs', { execArgv: COLLECTED })
  const barePort = await bare.ask('listen', {})
  const floor = await grown(
    bare,
    () => load.ask('connect', { port: barePort, connections, bare: true }),
    connections,
  )
  await load.ask('close')
  await bare.stop()

  const relay = await startRelay({ execArgv: COLLECTED })
  const idle = await grown(relay, () => load.ask('connect', { port: relay.port, connections }), connections)
  bench.row({
    figure: `idle connection, ${connections.toLocaleString('en-US')} open`,
    value: idle.rss,
    unit: 'KiB',
    limit: floor.rss,
    limitName: 'bare ws server',
    aim: '15',
    note: `resident; of it ${idle.heap.toFixed(1)} KiB in the JavaScript heap (bare ${floor.heap.toFixed(1)})`,
  })
  for (const same of [false, true]) {
    const add = () => load.ask('subscribe', { subscriptions, perConnection: PER_CONNECTION, same })
    const { rss, heap } = await grown(relay, add, subscriptions)
    bench.row({
      figure: `subscription, ${same ? 'all with one filter' : 'each with its own filter'}`,
      value: heap,
      unit: 'KiB',
      note: `JavaScript heap; resident ${rss.toFixed(2)} KiB; ${subscriptions.toLocaleString('en-US')} of them`,
    })
  }
  await load.ask('close')
  await relay.stop()
  await load.stop()
}

/** KiB that the process grows by, per one of `count`. */
async function grown(process, step, count) {
  const before = await process.ask('memory')
  await step()
  const after = await process.ask('memory')
  return {
    rss: (after.rss - before.rss) / 1024 / count,
    heap: (after.heap - before.heap) / 1024 / count,
  }
}
