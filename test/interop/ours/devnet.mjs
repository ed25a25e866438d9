/** The local chain in a process of its own; `fund` gives tokens and answers with the token accounts. */
import { startDevnet } from '@aetherkit/devnet'
import { encodeBase58 } from '../differential/message.mjs'
import { serveLines, settings } from '../line.mjs'

const devnet = await startDevnet(settings.options)
const { rpcUrl, network, mint, decimals, wallets } = devnet

serveLines(
  async ({ fund = [], options }) => {
    if (options !== undefined) devnet.setOptions(options)
    for (const owner of fund) await devnet.setTokens(owner, 1_000_000_000n)
    return {}
  },
  {
    rpcUrl,
    network,
    mint,
    decimals,
    payTo: wallets.merchant.publicKey,
    sponsor: wallets.facilitator.publicKey,
    sponsorKey: encodeBase58(wallets.facilitator.secretKey),
  },
)
