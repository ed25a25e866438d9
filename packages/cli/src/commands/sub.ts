/** `aether sub`: events as they come. */
import type { Subscription } from '@aetherkit/client'
import { type Filter, writeFilter, writeJson } from '@aetherkit/core'
import type { Command } from 'commander'
import { connectTo } from '../connection.js'
import { printEvent } from '../event-text.js'
import { EXIT_HELP, type ExitName, usage } from '../exit.js'
import { type FilterFlags, filtersOf, withFilter } from '../filter-flags.js'
import { integer, type RelayFlags, withRelay } from '../flags.js'
import { forgetMailbox, readMailbox } from '../read-mailbox.js'
import { runCommand, type Session } from '../session.js'
import { readState, writeState } from '../state-file.js'

interface SubFlags extends RelayFlags, FilterFlags {
  readonly stored?: boolean
  readonly count?: number
  readonly cursor?: string
  readonly mailbox?: string
  readonly forget?: boolean
}

/** How old the cursor file may be while events come, ms: after a kill, that much comes twice. */
const SAVE_MS = 250

const MAILBOX_HELP = `
A mailbox is kept by the relays under your key and a name. Each stored event
with your key in a p tag comes until its line is written: also those of while
nobody listened, and to one of the processes that listen under the name. After a
kill the last lines may come once more. Filter flags narrow it when it is new.
`

export function addSub(program: Command): void {
  const command = withFilter(program.command('sub'), 'begin with the newest so many stored events')
  withRelay(command)
    .summary('subscribe')
    .description('Prints events as they come, until it is ended or its reader is gone.')
    .option('--stored', 'begin with what the relays have stored')
    .option('--count <n>', 'end after so many events', integer(1, 1e12))
    .option('--cursor <file>', 'keep the place there, and go on from it')
    .option('--mailbox <name>', 'the mailbox of your key: what is addressed to it, also while you are away')
    .option('--forget', 'have the relays forget the mailbox, and end')
    .addHelpText('after', MAILBOX_HELP)
    .addHelpText('after', EXIT_HELP)
    .action((flags: SubFlags) =>
      runCommand(flags, async (session) => {
        if (flags.mailbox !== undefined) return subMailbox(session, flags.mailbox, flags)
        if (flags.forget === true) throw usage('--forget takes --mailbox <name>')
        const filters = filtersOf(flags).map((f) => (flags.stored === true ? { ...f, replay: true } : f))
        const place = flags.cursor === undefined ? undefined : openPlace(flags.cursor, filters)
        const client = await connectTo(session, flags)
        try {
          const subscription = client.subscribe(filters, {
            signal: session.signal,
            ...(place?.after !== undefined && { after: place.after }),
            onGap: (relay) => session.note(`${relay} could not go on without loss: events may be missing`),
          })
          await follow(session, subscription, flags, place)
        } finally {
          await client.close()
        }
        return 'ok'
      }),
    )
}

async function subMailbox(session: Session, name: string, flags: SubFlags): Promise<ExitName> {
  const { stored, cursor, limit, count = Number.POSITIVE_INFINITY, forget, timeout: timeoutMs } = flags
  if ([stored, cursor, limit].some((flag) => flag !== undefined))
    throw usage('--mailbox keeps its place at the relays: --stored, --cursor and --limit are not for it')
  const filters = filtersOf(flags).filter((filter) => Object.keys(filter).length > 0)
  const client = await connectTo(session, flags, { needsKey: true })
  try {
    if (forget === true) await forgetMailbox(session, client, name, timeoutMs)
    else await readMailbox(session, client, { name, filters, count, timeoutMs })
  } finally {
    await client.close()
  }
  return 'ok'
}

interface Place {
  readonly after: Readonly<Record<string, string>> | undefined
  save(cursors: Readonly<Record<string, string>>): void
}

/** A place counts as reached when the events before it are out: it is saved between two of them, never while one is under way. */
async function follow(
  session: Session,
  subscription: Subscription,
  { count = Infinity }: SubFlags,
  place: Place | undefined,
): Promise<void> {
  let printing = false
  const timer = setInterval(() => {
    if (!printing) place?.save(subscription.cursors)
  }, SAVE_MS)
  let printed = 0
  try {
    for await (const event of subscription) {
      printing = true
      await printEvent(session, event)
      printing = false
      if (++printed >= count) break
    }
    session.signal.throwIfAborted()
  } finally {
    clearInterval(timer)
    if (!printing) place?.save(subscription.cursors)
  }
}

/** @throws CommandError usage */
function openPlace(path: string, filters: readonly Filter[]): Place {
  const about = { filter: writeJson(filters.map(writeFilter)) }
  const known = readState(path, about)?.cursors
  if (known !== undefined && !isCursors(known)) throw usage(`${path} is no cursor file`)
  let saved = JSON.stringify(known)
  return {
    after: known,
    save(cursors) {
      const text = JSON.stringify(cursors)
      if (text === saved) return
      writeState(path, about, { cursors })
      saved = text
    },
  }
}

function isCursors(value: unknown): value is Record<string, string> {
  return (
    typeof value === 'object' &&
    value !== null &&
    Object.values(value).every((cursor) => typeof cursor === 'string')
  )
}
