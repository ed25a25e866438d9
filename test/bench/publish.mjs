/** Durable publish -> ack: LMDB, 400-byte content, synced before the ack, every signature checked. */
import { startLoad, startRelay } from './harness.mjs'
import { limits } from './limits.mjs'

/** format, connections, distinct keys */
const RUNS = [
  ['aether.v2', 1, 16],
  ['aether.v2', 8, 16],
  ['aether.v2', 1, 1000],
  ['aether.v2', 8, 1000],
  ['json', 1, 1000],
]

export async function run(bench) {
  const { one } = await limits(bench)
  const count = bench.quick ? 12_000 : 40_000
  const load = await startLoad('./load-publish.mjs')
  let made
  for (const [format, connections, keys] of RUNS) {
    const wanted = `${format} ${keys}`
    if (made !== wanted) await load.ask('make', { count, keys, format, kind: 1, contentBytes: 400 })
    made = wanted
    const relay = await startRelay()
    const cpuBefore = await relay.ask('cpu')
    const { rate, seconds, acked } = await load.ask('run', {
      port: relay.port,
      format,
      connections,
      window: 256,
      ms: bench.quick ? 3_000 : 12_000,
    })
    const cpu = (await relay.ask('cpu')) - cpuBefore
    await relay.stop()
    bench.row({
      figure: `${format}, ${connections} conn, ${keys.toLocaleString('en-US')} keys`,
      value: rate,
      unit: 'acks/s',
      limit: one,
      limitName: 'signature checks of one core',
      aim: format === 'json' ? '' : connections === 1 ? '>= 0.8' : '> 1',
      note: `relay: ${Math.round((cpu / acked) * 1e6)} us of processor an event, ${(cpu / seconds).toFixed(1)} cores`,
    })
  }
  await load.stop()
}
