/**
 * Publish -> subscriber latency at a given rate, open loop: counted from when the event was due, not from when it
 * could be sent, so a stall counts against every event it delays.
 */
import { startLoad, startRelay } from './harness.mjs'

const RATES = [100, 1_000, 5_000, 10_000]
/** Ephemeral events never touch the disk; kind 1 leaves for the subscriber after its commit is synced. */
const KINDS = [
  ['ephemeral', 20_001],
  ['stored', 1],
]

export async function run(bench) {
  const load = await startLoad('./load-latency.mjs')
  const seconds = (rate) => (bench.quick ? 1 : rate === 100 ? 5 : 3)

  const bare = await startLoad('./bare-server.mjs')
  const barePort = await bare.ask('listen', { forward: true })
  const floor = new Map()
  for (const rate of RATES)
    floor.set(
      rate,
      await load.ask('measure', { port: barePort, rate, seconds: seconds(rate), kind: 1, bare: true }),
    )
  await bare.stop()

  for (const [name, kind] of KINDS) {
    const relay = await startRelay()
    await load.ask('measure', { port: relay.port, rate: 2_000, seconds: 1, kind })
    for (const rate of RATES) {
      const found = await load.ask('measure', { port: relay.port, rate, seconds: seconds(rate), kind })
      const bareFound = floor.get(rate)
      const offered = `${name}, ${rate.toLocaleString('en-US')}/s`
      const limitName = 'bare ws server that passes it on'
      const lost = found.sent - found.received
      const note = [
        `${Math.round(found.rate).toLocaleString('en-US')}/s arrived`,
        `publisher late by ${found.lateP99.toFixed(2)} ms (p99)`,
        lost > 0 ? `${lost} NOT DELIVERED` : '',
      ]
      const aimed = kind === 20_001 && rate <= 5_000
      bench.row({
        figure: `${offered}, p50`,
        value: found.p50,
        unit: 'ms',
        limit: bareFound.p50,
        limitName,
        aim: aimed ? '0.5' : '',
      })
      bench.row({
        figure: `${offered}, p99`,
        value: found.p99,
        unit: 'ms',
        limit: bareFound.p99,
        limitName,
        aim: aimed ? '5' : '',
        note: note.filter((text) => text !== '').join(', '),
      })
    }
    await relay.stop()
  }
  await load.stop()
}
