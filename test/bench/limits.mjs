/** What no relay on this machine can exceed: signature checks, and syncs of the disk the temporary folder is on. */
import { startLoad, temporaryFolder } from './harness.mjs'

export async function run(bench) {
  const { one, all, cores, full, syncs } = await limits(bench)
  bench.row({
    figure: 'signature checks, one core',
    value: one,
    unit: 'per s',
    note: 'libsodium',
  })
  bench.row({
    figure: `signature checks, ${cores} processes at once`,
    value: all,
    unit: 'per s',
    limit: one,
    limitName: 'one core',
  })
  bench.row({
    figure: 'id and signature of 400-byte events, one core',
    value: full,
    unit: 'per s',
    limit: one,
    limitName: 'signature alone',
  })
  bench.row({
    figure: 'disk syncs one after the other',
    value: syncs,
    unit: 'per s',
    note: '4 KiB and fdatasync',
  })
}

/** Measured once a run; the publish, fan-out and match sections are put beside it. */
export function limits({ once, quick }) {
  return once('limits', async () => {
    const ms = quick ? 400 : 2000
    const { availableParallelism } = await import('node:os')
    const cores = Math.min(availableParallelism(), 8)
    const loads = await Promise.all(Array.from({ length: cores }, () => startLoad('./load-limits.mjs')))
    const one = await loads[0].ask('signatures', { ms })
    const full = await loads[0].ask('events', { ms })
    const shares = await Promise.all(loads.map((load) => load.ask('signatures', { ms })))
    const syncs = await loads[0].ask('syncs', { ms, folder: temporaryFolder('sync') })
    await Promise.all(loads.map((load) => load.stop()))
    return { one, full, syncs, cores, all: shares.reduce((sum, share) => sum + share, 0) }
  })
}
