/** `aether bench`: what one relay does for one client, beside what checking signatures costs here. */
import type { Command } from 'commander'
import { type BenchReport, type Figures, measure } from '../bench-relay.js'
import { connectTo } from '../connection.js'
import { EXIT_HELP } from '../exit.js'
import { kindOf } from '../filter-flags.js'
import { integer, type RelayFlags, withRelay } from '../flags.js'
import { runCommand, type Session } from '../session.js'

interface BenchFlags extends RelayFlags {
  readonly events: number
  readonly size: number
  readonly subscribers: number
  readonly window: number
  readonly kind: number
}

const BENCH_HELP = `
The limit is the number of Ed25519 signatures that this program checks in a
second on one core, measured in the same run. The subscribers are here as well
and check every event they get; the relay checks each once, on its own threads.
All is measured under full load: the times are those of a full window, not of a
single event. When the relay runs on this machine, it shares the cores.
The default kind is ephemeral: nothing is stored. With --kind 1 the relay stores
what it acknowledges.`

export function addBench(program: Command): void {
  withRelay(program.command('bench'))
    .summary('measure a relay')
    .description('Publishes and subscribes at one relay, as fast as it goes, and prints the figures.')
    .option('--events <n>', 'events to publish, in each of two rounds', integer(1, 100_000), 5000)
    .option('--size <bytes>', 'content of an event', integer(0, 65_536), 128)
    .option('--subscribers <n>', 'who get each event in the second round', integer(1, 32), 1)
    .option('--window <n>', 'events under way at a time', integer(1, 4096), 256)
    .option('--kind <n>', 'kind of the events', kindOf, 22_000)
    .addHelpText('after', BENCH_HELP)
    .addHelpText('after', EXIT_HELP)
    .action((flags: BenchFlags) =>
      runCommand(flags, async (session) => {
        const open = () => connectTo(session, flags, { single: true })
        const report = await measure(open, { ...flags, timeoutMs: flags.timeout, signal: session.signal })
        await session.print(
          () => report,
          () => reportText(session, flags, report),
        )
        return 'ok'
      }),
    )
}

function reportText({ paint }: Session, flags: BenchFlags, { limit, publish, deliver }: BenchReport): string {
  const row = (what: string, figures: Figures) =>
    `${what.padEnd(10)}${perSecond(figures.per_second)}   p50 ${ms(figures.p50_ms)}   p99 ${ms(figures.p99_ms)}` +
    `   ${(figures.per_second / limit.signatures_per_second).toFixed(2)} of the limit`
  return [
    paint(
      'dim',
      `${flags.events} events of kind ${flags.kind} with ${flags.size} bytes, ${flags.window} under way, ${flags.subscribers} subscribed`,
    ),
    `${'limit'.padEnd(10)}${perSecond(limit.signatures_per_second)}   signatures checked on one core`,
    row('publish', publish),
    row('deliver', deliver),
  ].join('\n')
}

function perSecond(value: number): string {
  return `${String(Math.round(value)).padStart(8)}/s`
}

function ms(value: number): string {
  return `${value.toFixed(1).padStart(7)} ms`
}
