/** Time of one `match` with 100,000 live subscriptions (spec 6.2), beside the signature check of the same event. */
import { startLoad } from './harness.mjs'
import { limits } from './limits.mjs'

export async function run(bench) {
  const { one } = await limits(bench)
  const subscriptions = bench.quick ? 10_000 : 100_000
  const load = await startLoad('./load-match.mjs')
  const found = await load.ask('measure', { subscriptions, events: bench.quick ? 5_000 : 50_000 })
  await load.stop()
  const check = { limit: 1e6 / one, limitName: 'one signature check' }
  const count = subscriptions.toLocaleString('en-US')
  bench.row({
    figure: `match, mean, ${count} subscriptions`,
    value: found.mean,
    unit: 'us',
    ...check,
    aim: '50',
    note: `${found.wanted.toFixed(1)} subscriptions want an event`,
  })
  bench.row({ figure: 'match, p99', value: found.p99, unit: 'us', ...check })
  bench.row({
    figure: 'the same by trying every filter',
    value: found.scan,
    unit: 'us',
    ...check,
    note: found.agrees ? 'same answers' : 'THE ANSWERS DIFFER',
  })
  bench.row({ figure: 'adding a subscription', value: found.add, unit: 'us', ...check })
}
