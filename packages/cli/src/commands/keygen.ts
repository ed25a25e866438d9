/** `aether keygen`: a new key in a new file. */
import { generateSecretKey, publicKeyOf, writePublicKey } from '@aetherkit/core'
import type { Command } from 'commander'
import { usage } from '../exit.js'
import { type CommonFlags, withOutput } from '../flags.js'
import { findKey, writeKeyFile } from '../key-file.js'
import { runCommand, type Session } from '../session.js'

export function addKeygen(program: Command): void {
  withOutput(program.command('keygen'))
    .summary('make a key')
    .description('Makes a secret key in a new file that only you can read, and prints its public key.')
    .argument('<file>', 'where to write it; a file that is there is never overwritten')
    .action((file: string, flags: CommonFlags) =>
      runCommand(flags, async (session) => {
        const secretKey = generateSecretKey()
        writeKeyFile(file, secretKey)
        await printKey(session, publicKeyOf(secretKey))
        return 'ok'
      }),
    )
  withOutput(program.command('key'))
    .summary('show the public key of a key')
    .description('Prints the public key of a secret key.')
    .argument('[file]', 'the key; default AETHER_SECRET_KEY')
    .action((file: string | undefined, flags: CommonFlags) =>
      runCommand(flags, async (session) => {
        const secretKey = findKey(file)
        if (secretKey === undefined) throw usage('no key: name its file, or set AETHER_SECRET_KEY')
        await printKey(session, publicKeyOf(secretKey))
        return 'ok'
      }),
    )
}

function printKey({ print }: Session, publicKey: string): Promise<void> {
  const text = writePublicKey(publicKey)
  return print(
    () => ({ public_key: publicKey, text }),
    () => `${publicKey}\n${text}`,
  )
}
