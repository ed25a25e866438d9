/** `aether query`: what the relays have stored. */
import type { Command } from 'commander'
import { connectTo } from '../connection.js'
import { printEvent } from '../event-text.js'
import { EXIT_HELP } from '../exit.js'
import { type FilterFlags, filtersOf, withFilter } from '../filter-flags.js'
import { type RelayFlags, withRelay } from '../flags.js'
import { runCommand } from '../session.js'

export function addQuery(program: Command): void {
  const command = withFilter(
    program.command('query'),
    'the newest so many (default: what the relay gives at once)',
  )
  withRelay(command)
    .summary('print stored events')
    .description('Prints stored events, newest first, and ends. For all that a relay has: aether export.')
    .addHelpText('after', EXIT_HELP)
    .action((flags: RelayFlags & FilterFlags) =>
      runCommand(flags, async (session) => {
        const filters = filtersOf(flags)
        const client = await connectTo(session, flags)
        try {
          const events = await client.query(filters, { signal: session.signal, timeoutMs: flags.timeout })
          for (const event of events) await printEvent(session, event)
        } finally {
          await client.close()
        }
        return 'ok'
      }),
    )
}
