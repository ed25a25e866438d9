/** `aether relay`: the binary of the relay, in this process: its flags, its signals, its exit codes. */
import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import type { Command } from 'commander'

export function addRelay(program: Command): void {
  program
    .command('relay')
    .summary('run a relay')
    .description(
      'Runs a relay, or looks after the data of one: aether relay export|import|backup|verify-store.',
    )
    .helpOption(false)
    .allowUnknownOption()
    .allowExcessArguments()
    .passThroughOptions()
    .argument('[flags...]', 'those of aether-relay: see aether relay --help')
    .action(async (flags: readonly string[]) => {
      const bin = relayBinary()
      process.argv = [process.execPath, bin, ...flags]
      // From here on the process is the relay's: it ends when and as that does.
      await import(pathToFileURL(bin).href)
    })
}

function relayBinary(): string {
  const manifest = createRequire(import.meta.url).resolve('@aetherkit/relay/package.json')
  const { bin }: { readonly bin: Readonly<Record<string, string>> } = JSON.parse(
    readFileSync(manifest, 'utf8'),
  )
  return join(manifest, '..', bin['aether-relay'] ?? '')
}
