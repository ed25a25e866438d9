/** `aether http-auth`: the header that proves a key for one request over HTTP to a relay. */
import { httpAuthorization } from '@aetherkit/client'
import type { Command } from 'commander'
import { usage } from '../exit.js'
import { type CommonFlags, withOutput } from '../flags.js'
import { argumentOrInput } from '../input.js'
import { findKey } from '../key-file.js'
import { runCommand } from '../session.js'

interface ProofFlags extends CommonFlags {
  readonly key?: string
  readonly method: string
  readonly body: boolean
}

/** As many bytes as a relay takes as a body. */
const MAX_BODY = 1 << 20

export function addHttpAuth(program: Command): void {
  withOutput(program.command('http-auth'))
    .summary('prove a key to a relay over HTTP')
    .description(
      'Prints an Authorization header, good once and for a minute:\n' +
        '  curl -H "$(aether http-auth --key my.key "$url")" "$url"',
    )
    .argument('<url>', 'exactly what will be asked, query included')
    .option('-k, --key <file>', 'the key (default: AETHER_SECRET_KEY)')
    .option('--method <name>', 'of the request', 'GET')
    .option('--body', 'the request has a body: exactly what stands on standard input')
    .action((url: string, flags: ProofFlags) =>
      runCommand(flags, async (session) => {
        const secretKey = findKey(flags.key)
        if (secretKey === undefined) throw usage('no key: name its file, or set AETHER_SECRET_KEY')
        if (!/^https?:\/\//.test(url) || !URL.canParse(url)) throw usage('the URL must be http or https')
        const body = flags.body ? await argumentOrInput('-', session.signal, MAX_BODY) : undefined
        const authorization = await httpAuthorization(secretKey, url, flags.method, body)
        await session.print(
          () => ({ authorization }),
          () => `authorization: ${authorization}`,
        )
        return 'ok'
      }),
    )
}
