/** Queries of 500 and start-up among 1,000,000 stored events (LMDB), beside the same read from bare LMDB. */
import { startLoad, startRelay, temporaryFolder } from './harness.mjs'

export async function run(bench) {
  const events = bench.quick ? 100_000 : 1_000_000
  const count = events.toLocaleString('en-US')
  const folder = temporaryFolder('store')
  const filler = await startLoad('./load-store.mjs')
  const { putRate, bareRate } = await filler.ask('fill', {
    folder,
    bareFolder: temporaryFolder('bare'),
    events,
  })
  await filler.stop()
  bench.row({
    figure: `put, ${count} events by 1,000`,
    value: putRate,
    unit: 'events/s',
    limit: bareRate,
    limitName: 'bare LMDB, one record without indexes',
  })

  const fresh = await startRelay()
  await fresh.stop()
  const empty = await startRelay({ folder: fresh.folder })
  await empty.stop()
  const full = await startRelay({ folder })
  bench.row({
    figure: `start-up, ${count} events`,
    value: full.milliseconds / 1000,
    unit: 's',
    limit: empty.milliseconds / 1000,
    limitName: 'start-up of an empty relay',
    aim: '2',
  })

  const client = await startLoad('./load-query.mjs')
  const wire = await client.ask('measure', { port: full.port, events, rounds: bench.quick ? 10 : 40 })
  await client.stop()
  await full.stop()

  const reader = await startLoad('./load-store.mjs')
  const direct = await reader.ask('queries', {
    folder,
    bareFolder: temporaryFolder('read'),
    events,
    rounds: bench.quick ? 10 : 40,
  })
  await reader.stop()
  for (const [name, { p50, worst, found }] of Object.entries(direct.queries)) {
    const note = `worst ${worst.toFixed(1)} ms, ${found} events found`
    bench.row({ figure: `query by ${name}, p50`, value: p50, unit: 'ms', ...direct.floor, note })
  }
  for (const [name, { p50, worst, found }] of Object.entries(wire)) {
    bench.row({
      figure: `query by ${name} over the wire, p50`,
      value: p50,
      unit: 'ms',
      limit: direct.queries[name].p50,
      limitName: 'the query in the store',
      note: `worst ${worst.toFixed(1)} ms, ${found} events delivered`,
    })
  }
}
