/** The events of a durable mailbox to standard output, each acked when its line is out. */
import type { Client } from '@aetherkit/client'
import type { Filter } from '@aetherkit/core'
import { printEvent } from './event-text.js'
import { usage } from './exit.js'
import type { Session } from './session.js'

export interface ReadMailboxOptions {
  readonly name: string
  /** None: all that is addressed to us. */
  readonly filters: readonly Filter[]
  /** Ends after so many. */
  readonly count: number
  /** For the acks at the end, ms. */
  readonly timeoutMs: number
}

/** At most once more: an event whose line is out and whose ack is not yet confirmed when the process is killed comes again. */
export async function readMailbox(
  session: Session,
  client: Client,
  { name, filters, count, timeoutMs }: ReadMailboxOptions,
): Promise<void> {
  const mailbox = openMailbox(client, name, {
    ...(filters.length > 0 && { filters }),
    onGap: (relay) => session.note(`${relay} could not go on without loss: events may be missing`),
  })
  const acks = new Set<Promise<void>>()
  let isPrinting = false
  // What is being printed is acked before the end.
  const stop = () => {
    if (!isPrinting) mailbox.close()
  }
  session.signal.addEventListener('abort', stop, { once: true })
  let failed: { readonly error: unknown } | undefined
  let printed = 0
  try {
    for await (const message of mailbox) {
      isPrinting = true
      await printEvent(session, message.event)
      const ack = message.ack().then(
        () => void acks.delete(ack),
        (error: unknown) => {
          failed ??= { error }
        },
      )
      acks.add(ack)
      isPrinting = false
      if (++printed >= count || failed !== undefined || session.signal.aborted) break
    }
  } finally {
    session.signal.removeEventListener('abort', stop)
    mailbox.close()
    const late = new Promise<void>((resolve) => setTimeout(resolve, timeoutMs).unref())
    await Promise.race([Promise.all(acks), late])
  }
  session.signal.throwIfAborted()
  if (failed !== undefined) throw failed.error
}

/** Has the relays forget it, and what was acked in it. */
export async function forgetMailbox(
  { signal }: Session,
  client: Client,
  name: string,
  timeoutMs: number,
): Promise<void> {
  await openMailbox(client, name, {}).delete({ timeoutMs, signal })
}

function openMailbox(client: Client, name: string, options: Parameters<Client['mailbox']>[1]) {
  try {
    const mailbox = client.mailbox(name, options)
    // Why it is not opened, the iteration says as well.
    mailbox.opened.catch(() => undefined)
    return mailbox
  } catch (error) {
    if (error instanceof TypeError || error instanceof RangeError) throw usage(error.message)
    throw error
  }
}
