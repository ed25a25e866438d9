/** `aether export`: all that a relay has stored, over the network, as lines of JSON. */
import { closeSync, fstatSync, fsyncSync, ftruncateSync, openSync, writeSync } from 'node:fs'
import { type Filter, writeFilter, writeJson } from '@aetherkit/core'
import type { Command } from 'commander'
import { connectTo, relaysOf } from '../connection.js'
import { eventLine, timeText } from '../event-text.js'
import { EXIT_HELP, usage } from '../exit.js'
import { type Position, pagesOf } from '../export-pages.js'
import { type FilterFlags, filtersOf, withFilter } from '../filter-flags.js'
import { integer, type RelayFlags, withRelay } from '../flags.js'
import { NO_PROGRESS, showProgress } from '../progress.js'
import { runCommand, type Session } from '../session.js'
import { readState, writeState } from '../state-file.js'

interface ExportFlags extends RelayFlags, FilterFlags {
  readonly to?: string
  readonly cursor?: string
  readonly page: number
}

/** What is written, and where it goes on. */
interface Written {
  events: number
  bytes: number
  after: Position | undefined
}

export function addExport(program: Command): void {
  const command = withFilter(program.command('export'), 'end after the newest so many')
  withRelay(command)
    .summary('save what a relay has stored')
    .description(
      'Writes the stored events of one relay as lines of JSON, newest first, each once.\n' +
        'What is published meanwhile may be missing, as may what it replaces.',
    )
    .option('--to <file>', 'write there instead of standard output')
    .option('--cursor <file>', 'with --to: keep the place there; run it again to go on where it ended')
    .option('--page <n>', 'events to ask for at a time', integer(1, 5000), 500)
    .addHelpText('after', EXIT_HELP)
    .action((flags: ExportFlags) =>
      runCommand(flags, async (session) => {
        const [filter, ...others] = filtersOf(flags)
        if (filter === undefined || others.length > 0) throw usage('export takes one filter')
        const { to, cursor } = flags
        if (cursor !== undefined && to === undefined)
          throw usage('--cursor needs --to: a pipe cannot be continued')
        const about = { relay: relaysOf(flags)[0], filter: writeJson(writeFilter(filter)), to }
        const written = readWritten(cursor, about)
        const client = await connectTo(session, flags, { single: true })
        const sink =
          to === undefined ? standardOutput(session) : fileOutput(to, written.bytes, written.events > 0)
        // The lines themselves are on the terminal: they say how far it is.
        const isSeen = to === undefined && process.stdout.isTTY
        const progress = isSeen ? NO_PROGRESS : showProgress(undefined)
        try {
          const query = (page: Filter) =>
            client.query(page, { signal: session.signal, timeoutMs: flags.timeout })
          await writePages(filter, flags.page, query, written, async (lines) => {
            await sink.write(lines)
            if (cursor !== undefined) writeState(cursor, about, stateOf(written))
            const { events, after } = written
            progress.update(events, `${events} events, back to ${timeText(after?.createdAt ?? 0n)}`)
          })
        } finally {
          progress.stop()
          sink.close()
          await client.close()
        }
        if (to === undefined) session.note(`${written.events} events exported`)
        else
          await session.print(
            () => ({ events: written.events, bytes: written.bytes }),
            () => `${written.events} events exported to ${to}`,
          )
        return 'ok'
      }),
    )
}

async function writePages(
  { limit: total = Infinity, ...filter }: Filter,
  limit: number,
  query: Parameters<typeof pagesOf>[0],
  written: Written,
  write: (lines: string) => Promise<void>,
): Promise<void> {
  if (written.events >= total) return
  for await (const page of pagesOf(query, filter, { limit, after: written.after })) {
    const events = page.slice(0, total - written.events)
    const lines = events.map((event) => `${eventLine(event)}\n`).join('')
    const last = events.at(-1)
    written.events += events.length
    written.bytes += Buffer.byteLength(lines)
    if (last !== undefined) written.after = { createdAt: last.createdAt, id: last.id }
    await write(lines)
    if (written.events >= total) return
  }
}

function standardOutput(session: Session) {
  return { write: (lines: string) => session.write(lines), close() {} }
}

/** What stands behind the cursor, from a run that was killed, is cut off: nothing comes twice. */
function fileOutput(path: string, bytes: number, isContinued: boolean) {
  const file = openSync(path, isContinued ? 'r+' : 'w')
  if (fstatSync(file).size < bytes)
    throw usage(`${path} is shorter than its cursor file says: remove both to begin anew`)
  ftruncateSync(file, bytes)
  let at = bytes
  return {
    async write(lines: string): Promise<void> {
      const data = Buffer.from(lines)
      for (let done = 0; done < data.length; ) {
        const count = writeSync(file, data, done, data.length - done, at)
        done += count
        at += count
      }
      fsyncSync(file)
    },
    close: () => closeSync(file),
  }
}

/** @throws CommandError usage */
function readWritten(path: string | undefined, about: Record<string, unknown>): Written {
  const state = path === undefined ? undefined : readState(path, about)
  if (state === undefined) return { events: 0, bytes: 0, after: undefined }
  const { events, bytes, created_at: createdAt, id } = state
  if (
    !(typeof events === 'number' && typeof bytes === 'number') ||
    !(typeof createdAt === 'string' && /^\d{1,20}$/.test(createdAt)) ||
    !(typeof id === 'string' && /^[0-9a-f]{64}$/.test(id))
  )
    throw usage(`${path} is no cursor file of an export`)
  return { events, bytes, after: { createdAt: BigInt(createdAt), id } }
}

function stateOf({ events, bytes, after }: Written): Record<string, unknown> {
  return { events, bytes, created_at: String(after?.createdAt), id: after?.id }
}
