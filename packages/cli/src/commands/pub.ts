/** `aether pub`: signs content and publishes it, or publishes events that are signed already. */
import { type Client, ClientError, type Published, type Verdict } from '@aetherkit/client'
import { createClock, type EventTemplate, mine, type Tag } from '@aetherkit/core'
import type { Command } from 'commander'
import { connectTo, relaysOf } from '../connection.js'
import { EXIT_HELP, type ExitName, explain, usage } from '../exit.js'
import { kindOf, pairOf } from '../filter-flags.js'
import { collect, integer, type RelayFlags, withRelay } from '../flags.js'
import { argumentOrInput, linesOf } from '../input.js'
import { runCommand, type Session } from '../session.js'
import { signedEvent } from '../signed-event.js'
import { visible } from '../visible.js'

interface PubFlags extends RelayFlags {
  readonly kind: number
  readonly tag?: readonly string[]
  readonly event?: boolean
  readonly lines?: boolean
  readonly quorum?: number
  /** Bits. */
  readonly work?: number
}

type Template = EventTemplate & { readonly content: Uint8Array; readonly tags: readonly Tag[] }

/** What no relay takes need not be read; bytes. */
const MAX_CONTENT = 1 << 20
/** Some hours of work. */
const MAX_WORK = 32

export function addPub(program: Command): void {
  withRelay(program.command('pub'))
    .summary('publish')
    .description('Publishes content from the argument or from standard input, signed with your key.')
    .argument('[content]', 'the content, byte for byte; without it, or with -, standard input')
    .option('--kind <n>', 'kind of the event', kindOf, 1)
    .option('--tag <k=v>', 'a tag, may be repeated', collect)
    .option('--lines', 'every line of standard input is the content of an event')
    .option('--event', 'the content is a signed event as JSON, or lines of them: published as it is')
    .option('--quorum <n>', 'relays that must take it (default 1)', integer(1, 16))
    .option(
      '--work <bits>',
      'proof of work: an id with so many leading zero bits; each bit takes twice as long',
      integer(1, MAX_WORK),
    )
    .addHelpText('after', EXIT_HELP)
    .action((content: string | undefined, flags: PubFlags) =>
      runCommand(flags, async (session) => {
        const one = flags.lines !== true && (flags.event !== true || (content ?? '-') !== '-')
        if (!one && (content ?? '-') !== '-') throw usage('--lines reads standard input')
        if (flags.event === true && flags.work !== undefined)
          throw usage('--work is done before signing: these events are signed already')
        if ((flags.quorum ?? 1) > relaysOf(flags).length)
          throw usage(`--quorum ${flags.quorum} takes as many relays: name them with --relay`)
        // Reading comes first: what cannot be published needs no relay.
        const first = one ? await contentOf(session, content) : undefined
        const known =
          flags.event === true && first !== undefined ? signedEvent(Buffer.from(first).toString()) : undefined
        const tags = (flags.tag ?? []).map((text): Tag => pairOf(text))
        const clock = createClock()
        const made = (bytes: Uint8Array): Template => ({ kind: flags.kind, tags, content: bytes })
        const client = await connectTo(session, flags, { needsKey: flags.event !== true })
        try {
          if (first !== undefined)
            return await publish(
              session,
              client,
              flags,
              known ?? (await worked(session, client, flags, made(first), clock)),
            )
          let worst: ExitName = 'ok'
          for await (const { text } of linesOf(undefined, session.signal)) {
            if (text === undefined) throw usage('a line is too long')
            if (flags.event === true && text.trim() === '') continue
            const next =
              flags.event === true
                ? signedEvent(text)
                : await worked(session, client, flags, made(Buffer.from(text)), clock)
            const exit = await publish(session, client, flags, next)
            if (exit !== 'ok') worst = exit
          }
          return worst
        } finally {
          await client.close()
        }
      }),
    )
}

async function contentOf({ signal }: Session, content: string | undefined): Promise<Uint8Array> {
  const bytes = await argumentOrInput(content, signal, MAX_CONTENT)
  if (bytes === undefined) throw usage('nothing to publish: give the content, or write it to standard input')
  return bytes
}

/** With as much work in its id as was asked for. */
async function worked(
  { signal }: Session,
  { publicKey: pubkey }: Client,
  { work }: PubFlags,
  template: Template,
  clock: () => bigint,
): Promise<EventTemplate> {
  if (work === undefined) return template
  return mine({ ...template, pubkey, createdAt: clock() }, work, { signal })
}

/** The result is a record on standard output, also where the relays refuse. */
async function publish(
  session: Session,
  client: Client,
  { timeout: timeoutMs, quorum }: PubFlags,
  what: Parameters<Client['publish']>[0],
): Promise<ExitName> {
  try {
    const published = await client.publish(what, { signal: session.signal, timeoutMs, quorum })
    await printVerdicts(session, published)
    return 'ok'
  } catch (error) {
    if (error instanceof TypeError || error instanceof RangeError)
      throw usage(`not an event: ${error.message}`)
    if (!ClientError.is(error) || error.relays === undefined) throw error
    const { exit, line } = explain(error)
    session.note(line ?? error.message)
    await printVerdicts(session, { relays: error.relays, ...('id' in what && { id: what.id }) })
    return exit
  }
}

function printVerdicts(
  session: Session,
  { id, relays }: Partial<Published> & Pick<Published, 'relays'>,
): Promise<void> {
  return session.print(
    () => ({ ...(id !== undefined && { id }), relays }),
    () =>
      [
        ...(id === undefined ? [] : [id]),
        ...Object.entries(relays).map(([url, verdict]) => verdictText(session, url, verdict)),
      ].join('\n'),
  )
}

function verdictText({ paint }: Session, url: string, verdict: Verdict): string {
  const what = verdict.ok
    ? paint('green', verdict.status)
    : paint('red', visible(`${verdict.code}: ${verdict.error}`))
  return `  ${url}  ${what}`
}
