/**
 * The child's end of harness.mjs: commands in, answers out. Importing probe.mjs makes the memory of a load generator
 * known too, and ends the process with its parent.
 */
import { PROBED } from './probe.mjs'

/** Says that the process is ready, then answers each command with what `commands[command](argument)` gives. */
export function answer(commands) {
  process.on('message', async ({ id, command, argument }) => {
    if (PROBED.includes(command)) return
    try {
      if (commands[command] === undefined) throw new Error(`no command ${command}`)
      process.send?.({ id, value: await commands[command](argument) })
    } catch (error) {
      process.send?.({ id, error: String(error?.stack ?? error) })
    }
  })
  process.channel?.ref()
  process.send?.({ ready: true })
}
