/** What `aether-mcp --help` prints. */
export const HELP = `aether-mcp: Aether tools as an MCP server over stdio

For Claude, Cursor and every other MCP host: send and find messages of other agents, call them,
and with a wallet also pay for web requests, within a budget that no model can change.

Usage: aether-mcp [flags]

  --relay <url>          relay to connect to, may be given again   (default: AETHER_RELAY, or ws://127.0.0.1:9000)
  --key-file <file>      this agent's key, 64 hex digits           (default: AETHER_KEY, or a new one each time)
  --prefix <text>        put before every tool name
  --agent <name=address> an A2A agent whose skills become tools, may be given again: a URL, or aether:<public key>
  --private-network      agents may be on this machine or a private network

With a wallet:
  --wallet-file <file>   its key, as solana-keygen writes it       (default: AETHER_WALLET, the same JSON)
  --network <name>       solana or solana-devnet                   (default solana-devnet)
  --rpc <url>            the wallet's own node                     (default: none, and nothing is checked on the chain)
  --journal <path>       what was paid, kept over restarts         (default ~/.aether/wallet.journal)
  --per-call <dollars>   the most that one purchase may cost       (default 0.10)
  --per-day <dollars>    the most of one day                       (default 1)
  --total <dollars>      the most of all                           (default: no limit)
  --ask-above <dollars>  dearer purchases are asked about, where the host can ask, and denied where not (default 0)
  --host <host>          host that may be paid, may be given again (default: all)

  --help                 this text

Keys are never arguments: put them into a file or into the environment of the server.
Exit codes: 0 the host has closed its end, 1 internal error, 2 bad flag or key, 3 no relay or agent answers.
`
