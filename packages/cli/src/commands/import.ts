/** `aether import`: lines of signed events into a relay, over the network. */
import { statSync } from 'node:fs'
import { resolve } from 'node:path'
import type { Command } from 'commander'
import { connectTo, relaysOf } from '../connection.js'
import { EXIT_HELP, usage } from '../exit.js'
import { integer, type RelayFlags, withRelay } from '../flags.js'
import { type ImportReport, importEvents } from '../import-events.js'
import { linesOf } from '../input.js'
import { showProgress } from '../progress.js'
import { runCommand, type Session } from '../session.js'
import { readState, writeState } from '../state-file.js'

interface ImportFlags extends RelayFlags {
  readonly cursor?: string
  readonly window: number
}

/** How old the cursor file may be, ms: after a kill, that much is sent again, and answered `duplicate`. */
const SAVE_MS = 250

export function addImport(program: Command): void {
  withRelay(program.command('import'))
    .summary('publish what was saved')
    .description('Publishes lines of signed events to one relay and counts what became of them.')
    .argument('[file]', 'lines of JSON as aether export writes them; default standard input')
    .option('--cursor <file>', 'keep the place there; run it again to go on where it ended')
    .option('--window <n>', 'events under way at a time', integer(1, 4096), 256)
    .addHelpText('after', EXIT_HELP)
    .action((file: string | undefined, flags: ImportFlags) =>
      runCommand(flags, async (session) => {
        if (file === undefined && process.stdin.isTTY)
          throw usage('nothing to import: name a file, or write lines to standard input')
        const path = file === '-' ? undefined : file
        const { cursor, window, timeout: timeoutMs } = flags
        const about = { relay: relaysOf(flags)[0], from: path === undefined ? '-' : resolve(path) }
        const skip = readPlace(cursor, about)
        const total = path === undefined ? undefined : statSync(path).size
        const client = await connectTo(session, flags, { single: true })
        const progress = showProgress(total)
        let last: ImportReport | undefined
        const save = () => {
          if (cursor !== undefined && last !== undefined) writeState(cursor, about, { lines: last.lines })
        }
        const timer = setInterval(save, SAVE_MS)
        try {
          const report = await importEvents(
            (event, options) => client.publish(event, options),
            linesOf(path, session.signal),
            {
              ...{ signal: session.signal, timeoutMs, window, skip },
              onProgress(now) {
                last = now
                progress.update(now.bytes, `${now.lines} lines`)
              },
            },
          )
          last = report
          progress.stop()
          await printReport(session, report)
          return Object.keys(report.refused).length === 0 ? 'ok' : 'rejected'
        } catch (error) {
          progress.stop()
          if (last !== undefined) session.note(`ended behind line ${last.lines}`)
          throw error
        } finally {
          clearInterval(timer)
          save()
          await client.close()
        }
      }),
    )
}

function printReport(
  { print, note }: Session,
  { lines, accepted, refused, first }: ImportReport,
): Promise<void> {
  for (const { line, code } of first) note(`line ${line}: ${code}`)
  const counts = Object.entries({ ...accepted, ...refused }).map(([what, count]) => `${count} ${what}`)
  return print(
    () => ({ lines, accepted, refused, first }),
    () => `${lines} lines: ${counts.length === 0 ? 'nothing to do' : counts.join(', ')}`,
  )
}

/** @throws CommandError usage */
function readPlace(path: string | undefined, about: Record<string, unknown>): number {
  const lines = path === undefined ? 0 : (readState(path, about)?.lines ?? 0)
  if (typeof lines !== 'number') throw usage(`${path} is no cursor file of an import`)
  return lines
}
