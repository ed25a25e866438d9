/** The flags of `aether-relay`: their names and shapes, what holds without them, and the text of `--help`. */
import { parseArgs } from 'node:util'
import { FlagError } from './config-section.js'
import { LIMITS } from './limits.js'
import { GATEWAYS, LOG_LEVELS } from './option-values.js'

export const HELP = `aether-relay: a relay for Aether events

Agents connect to it by WebSocket, publish signed events and subscribe to those of others.
It checks every signature, keeps what is to be kept, and passes the rest on.

Usage: aether-relay [flags]
       aether-relay export|import|backup|verify-store --help

  --ws-host <host>               address to listen on                    (default 127.0.0.1)
  --ws-port <port>               port, 0 for a free one                  (default 9000)
  --gateway <names>              none, or a list of ${GATEWAYS.join(', ').padEnd(22)} (default none)
  --nostr-host <host>            address of the Nostr gateway            (default: that of --ws-host)
  --nostr-port <port>            NIP-01, also for genuine Nostr events   (default 7447)
  --public-url <url>             what clients call this relay in auth,   (default: the address that
                                 repeatable                              a connection came in on)
  --http-host <host>             address of the HTTP gateway             (default: that of --ws-host)
  --http-port <port>             REST, event streams and /v1/ws          (default 8081)
  --http-ws-port <port>          /v1/ws on a port of its own             (default 8082)
  --http-origin <origin>         web pages that may use it, repeatable   (default: none)
  --http-admin-token-file <file> its holders see / (console), /metrics   (default: no console)
  --storage <kind>               lmdb, sqlite or memory                  (default lmdb)
  --storage-path <path>          folder of the data, made when missing   (default ./data)
                                 (for sqlite also the file itself, with an extension)
  --retention-ns <ns>            hide and no longer store what is older  (default: keep for ever)
  --max-size <bytes>             largest event                           (default ${LIMITS.event.maxSize})
  --pow-difficulty <bits>        leading zero bits asked of event ids    (default 0)
  --rate-limit-capacity <n>      events a key may publish at once        (default: no limit)
  --rate-limit-per-sec <n>       events a second a key gets back
  --verify-workers <n>           threads that check signatures           (default: one a core)
  --ws-origin <origin>           web pages that may connect, repeatable  (default: all)
  --tls-cert <file>              certificate and chain, PEM: wss, https  (default: in clear)
  --tls-key <file>               its key, PEM
  --policy-plugin <command>      program that judges each event          (default: none)
  --log-level <level>            ${LOG_LEVELS.join(', ')} (default info)
  --config <file>                settings in JSON, see the README        (default: none)
  --print-config                 print the settings in effect, and end
  --help                         this text
  --version                      the version

Each flag may also be set in the environment (AETHER_RELAY_WS_PORT for --ws-port) and in the file
("ws-port"); a flag wins over the environment, the environment over the file. SIGHUP reads all again,
takes over what can change while the relay runs, and says what needs a restart.

Logs are JSON lines on standard output. SIGTERM or SIGINT: answers what is in flight, tells its
clients, and ends within 10 seconds.

Exit codes: 0 ended as asked, 1 internal error, 2 bad setting, 3 cannot listen, 4 cannot open the storage.
`

/** What holds when nobody says anything; the rest is left to the relay. */
export const DEFAULTS = {
  'ws-host': '127.0.0.1',
  'ws-port': '9000',
  gateway: 'none',
  'nostr-port': '7447',
  'http-port': '8081',
  'http-ws-port': '8082',
  storage: 'lmdb',
  'storage-path': './data',
  'max-size': String(LIMITS.event.maxSize),
  'pow-difficulty': '0',
  'log-level': 'info',
}

const text = { type: 'string' } as const
const list = { type: 'string', multiple: true } as const

/** Only of the command line. */
const OWN_FLAGS = {
  config: text,
  'print-config': { type: 'boolean' },
  help: { type: 'boolean', short: 'h' },
  version: { type: 'boolean' },
} as const

/** Of the command line, the environment and the file. */
const FLAGS = {
  'ws-host': text,
  'ws-port': text,
  gateway: text,
  'nostr-host': text,
  'nostr-port': text,
  'public-url': list,
  'http-host': text,
  'http-port': text,
  'http-ws-port': text,
  'http-origin': list,
  'http-admin-token-file': text,
  storage: text,
  'storage-path': text,
  'retention-ns': text,
  'max-size': text,
  'pow-difficulty': text,
  'rate-limit-capacity': text,
  'rate-limit-per-sec': text,
  'verify-workers': text,
  'ws-origin': list,
  'tls-cert': text,
  'tls-key': text,
  'policy-plugin': text,
  'log-level': text,
} as const

export const NAMES = new Map(
  Object.entries(FLAGS).map(([name, flag]) => [name, 'multiple' in flag ? 'list' : 'text'] as const),
)

export type Values = ReturnType<typeof readFlags>

export function readFlags(args: readonly string[]) {
  try {
    return parseArgs({ args: [...args], options: { ...FLAGS, ...OWN_FLAGS } }).values
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error)
    throw new FlagError(message.split('\n')[0])
  }
}
