/**
 * What a seller looks at before the shop opens (spec payments 11, 16 D11): each fault has a name and, where there is one,
 * the command that cures it. Nothing is written to the chain.
 */
import { isJsonObject, type JsonValue } from '@aetherkit/core'
import { PaymentError } from './errors.js'
import { type AllowedMints, checkMint, fetchMint, type Mint } from './exact/mint.js'
import { isGenesisOf, type Network, parseNetwork } from './network.js'
import { createRpc, type Fetch, type Rpc, resultValue } from './rpc.js'
import { associatedAccount, decodeAddress } from './solana.js'
import { TOKENS, tokenByMint } from './token.js'

/**
 * - `rpc_unreachable`: the node does not answer
 * - `genesis_mismatch`: the node is on another network than the one that is declared
 * - `payee_invalid`, `payee_not_wallet`: no address; a token account, a mint or a program in place of a wallet
 * - `payee_is_sponsor`: a fee payer that is paid itself; no payment to it is ever signed
 * - `payee_account_missing`: the wallet has no account for the token, and no payment creates one
 * - `mint_invalid`, `mint_decimals`: no token mint; other decimals than our table has
 * - `token_extension_not_allowed`: a Token-2022 mint that takes a fee, runs foreign code, or is not listed
 * - `sponsor_low`: a fee payer that cannot pay many more fees
 */
type PreflightCode =
  | 'rpc_unreachable'
  | 'genesis_mismatch'
  | 'payee_invalid'
  | 'payee_not_wallet'
  | 'payee_is_sponsor'
  | 'payee_account_missing'
  | 'mint_invalid'
  | 'mint_decimals'
  | 'token_extension_not_allowed'
  | 'sponsor_low'

export interface PreflightFault {
  readonly code: PreflightCode
  /** What is wrong, for a person. */
  readonly message: string
  /** The one command that cures it. */
  readonly command?: string
}

export interface PreflightOptions {
  readonly rpcUrl: string
  /** In any spelling. */
  readonly network: string
  /** Every wallet that is paid. */
  readonly payTo: string | readonly string[]
  /** Mints that are taken; USDC of the network by default. */
  readonly assets?: readonly string[]
  /** Fee payers of an own settler; none with a remote facilitator. */
  readonly sponsors?: readonly string[]
  /** Below it a sponsor is low: 10,000,000 lamports by default, about 900 payments. */
  readonly minSponsorLamports?: bigint
  readonly allowedMints?: AllowedMints
  readonly fetch?: Fetch
}

const SYSTEM_PROGRAM = '11111111111111111111111111111111'
const DEFAULT_MIN_LAMPORTS = 10_000_000n

/**
 * Every fault there is; empty when the shop may open.
 * @throws PaymentError `unknown_network`
 */
export async function inspectShop(options: PreflightOptions): Promise<readonly PreflightFault[]> {
  const network = parseNetwork(options.network)
  if (network === undefined)
    throw new PaymentError('unknown_network', `no network is called ${options.network}`)
  const rpc = createRpc(options.rpcUrl, options.fetch === undefined ? {} : { fetch: options.fetch })
  const usdc = TOKENS[network][0]?.mint
  const { payTo, assets = usdc === undefined ? [] : [usdc], sponsors = [], allowedMints = {} } = options
  try {
    const genesis = await inspectGenesis(rpc, network)
    // On another network every other fault would be a consequence.
    if (genesis !== undefined) return [genesis]
    const mints = await Promise.all(assets.map((asset) => inspectMint(rpc, network, asset, allowedMints)))
    const good = mints.flatMap((each) => ('address' in each ? [each] : []))
    const payees = await Promise.all([payTo].flat().map((payee) => inspectPayee(rpc, payee, good)))
    const fees = await inspectSponsors(rpc, sponsors, options.minSponsorLamports)
    const bad = mints.flatMap((each) => ('code' in each ? [each] : []))
    return [...bad, ...payees.flat(), ...inspectRoles([payTo].flat(), sponsors), ...fees]
  } catch (error) {
    if (!PaymentError.is(error)) throw error
    return [{ code: 'rpc_unreachable', message: `${options.rpcUrl} does not answer: ${error.message}` }]
  }
}

/**
 * Before `listen`: opens the shop or says why not.
 * @throws PaymentError `invalid_option`, its `reason` the code of the first fault and its message all of them
 */
export async function preflight(options: PreflightOptions): Promise<void> {
  const faults = await inspectShop(options)
  const [first] = faults
  if (first === undefined) return
  const lines = faults.map(
    ({ code, message, command }) => `- ${code}: ${message}${command === undefined ? '' : `\n  ${command}`}`,
  )
  throw new PaymentError('invalid_option', `this shop cannot be paid:\n${lines.join('\n')}`, {
    reason: first.code,
  })
}

async function inspectGenesis(rpc: Rpc, network: Network): Promise<PreflightFault | undefined> {
  const hash = await rpc.call('getGenesisHash', [])
  if (typeof hash === 'string' && isGenesisOf(network, hash)) return undefined
  return {
    code: 'genesis_mismatch',
    message: `${rpc.url} is on the chain ${String(hash)}, and the shop asks for payments on ${network}`,
  }
}

async function inspectMint(
  rpc: Rpc,
  network: Network,
  asset: string,
  allowed: AllowedMints,
): Promise<Mint | PreflightFault> {
  const fetched = decodeAddress(asset) === undefined ? undefined : await fetchMint(rpc, asset)
  if (fetched?.ok !== true)
    return { code: 'mint_invalid', message: `${asset} is no token mint on ${network}` }
  const { mint } = fetched
  const known = tokenByMint(network, asset)
  if (known !== undefined && known.decimals !== mint.decimals)
    return {
      code: 'mint_decimals',
      message: `${known.symbol} has ${mint.decimals} decimals here and ${known.decimals} in our table`,
    }
  const checked = checkMint(mint, allowed)
  if (checked.ok) return mint
  return { code: 'token_extension_not_allowed', message: `${asset}: ${checked.detail ?? checked.reason}` }
}

async function inspectPayee(rpc: Rpc, payee: string, mints: readonly Mint[]): Promise<PreflightFault[]> {
  if (decodeAddress(payee) === undefined)
    return [{ code: 'payee_invalid', message: `payTo is no address: ${payee}` }]
  const owner = ownerOf(await accountOf(rpc, payee))
  // A wallet that never held SOL has no account of its own.
  if (owner !== undefined && owner !== SYSTEM_PROGRAM) {
    const message = `payTo ${payee} belongs to the program ${owner}: give the wallet, not its token account`
    return [{ code: 'payee_not_wallet', message }]
  }
  const faults = mints.map(async ({ address, program }): Promise<PreflightFault[]> => {
    const account = associatedAccount(payee, program, address)
    if (ownerOf(await accountOf(rpc, account)) === program) return []
    return [
      {
        code: 'payee_account_missing',
        message: `the wallet ${payee} has no account for the token ${address}`,
        command: `spl-token create-account ${address} --owner ${payee} --program-id ${program} --url ${rpc.url} --fee-payer <your keypair>`,
      },
    ]
  })
  return (await Promise.all(faults)).flat()
}

function inspectRoles(payees: readonly string[], sponsors: readonly string[]): PreflightFault[] {
  return payees
    .filter((payee) => sponsors.includes(payee))
    .map((payee) => ({
      code: 'payee_is_sponsor',
      message: `the sponsor ${payee} is paid itself, and no sponsor signs for its own tokens: take another wallet`,
    }))
}

/** What one look at the fee payers finds. @throws PaymentError `rpc_failed` */
export async function inspectSponsors(
  rpc: Rpc,
  sponsors: readonly string[],
  minimum: bigint = DEFAULT_MIN_LAMPORTS,
): Promise<readonly PreflightFault[]> {
  return (await Promise.all(sponsors.map((sponsor) => inspectSponsor(rpc, sponsor, minimum)))).flat()
}

async function inspectSponsor(rpc: Rpc, sponsor: string, minimum: bigint): Promise<PreflightFault[]> {
  const value = resultValue(await rpc.call('getBalance', [sponsor, { commitment: 'confirmed' }]))
  const lamports = typeof value === 'number' || typeof value === 'bigint' ? BigInt(value) : 0n
  if (lamports >= minimum) return []
  const message = `the sponsor ${sponsor} has ${lamports} lamports, under ${minimum}: each payment costs it about 10,001`
  return [{ code: 'sponsor_low', message, command: `solana transfer ${sponsor} 0.1 --url ${rpc.url}` }]
}

async function accountOf(rpc: Rpc, address: string): Promise<JsonValue> {
  return resultValue(
    await rpc.call('getAccountInfo', [address, { encoding: 'base64', commitment: 'confirmed' }]),
  )
}

function ownerOf(account: JsonValue): string | undefined {
  return isJsonObject(account) && typeof account.owner === 'string' ? account.owner : undefined
}
