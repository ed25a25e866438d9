/** Bytes on the wire per event, WebSocket header included, as a real relay sends and takes them. */
import { startLoad, startRelay } from './harness.mjs'

export async function run(bench) {
  const load = await startLoad('./load-size.mjs')
  const relay = await startRelay({ storage: 'memory' })
  const found = await load.ask('measure', { port: relay.port, contentBytes: 400 })
  await relay.stop()
  await load.stop()
  for (const { name, publish, deliver } of found.forms) {
    const row = { unit: 'bytes', limit: found.canonical, limitName: 'id, signature and canonical bytes' }
    bench.row({ figure: `${name}, delivered`, value: deliver, ...row })
    bench.row({ figure: `${name}, published`, value: publish, ...row })
  }
}
