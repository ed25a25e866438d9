/** Deliveries: one publisher, 1 to 1,000 subscribers, beside ready frames written to as many sockets. */
import { startLoad, startRelay } from './harness.mjs'
import { limits } from './limits.mjs'

const SUBSCRIBERS = [1, 10, 100, 1000]

export async function run(bench) {
  const { one } = await limits(bench)
  const ms = bench.quick ? 1_000 : 4_000
  const load = await startLoad('./load-fanout.mjs')
  for (const subscribers of SUBSCRIBERS) {
    const relay = await startRelay()
    const found = await load.ask('relay', {
      port: relay.port,
      subscribers,
      ms,
      most: bench.quick ? 6_000 : 30_000,
    })
    await relay.stop()

    const bare = await startLoad('./bare-server.mjs')
    const port = await bare.ask('listen', { frameBytes: found.frameBytes })
    const raw = await load.ask('raw', { port, subscribers, ms: ms / 2, frameBytes: found.frameBytes })
    await bare.stop()

    bench.row({
      figure: `1 -> ${subscribers.toLocaleString('en-US')}`,
      value: found.rate,
      unit: 'deliveries/s',
      limit: raw.rate,
      limitName: 'ready frames on bare sockets',
      aim: subscribers === 100 ? '500,000' : '',
      note: [
        `${Math.round(found.events).toLocaleString('en-US')} events/s, ${(found.events / one).toFixed(2)} of the signature checks of one core`,
        `frames of ${found.frameBytes} bytes`,
        ...(found.cut > 0 ? [`${found.cut} CONNECTIONS WERE CUT`] : []),
      ].join(', '),
    })
  }
  await load.stop()
}
