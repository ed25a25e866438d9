/** What went wrong with an A2A agent, as the command ends with it: exit code and one line. */
import type { AgentError, AgentErrorCode, JsonRecord } from '@aetherkit/a2a/client'
import { CommandError, type ExitName } from './exit.js'

const EXITS: Partial<Record<AgentErrorCode, ExitName>> = {
  UNREACHABLE: 'noRelay',
  CARD_NOT_FOUND: 'noRelay',
}

/** Errors of the A2A client as what ends the command; any other error as it is. */
export async function agentFailure(error: unknown): Promise<unknown> {
  if (!isAgentError(error)) return error
  const { code, message, facts, source } = error
  if (code === 'PAYMENT_REQUIRED') return new CommandError('payment', await paymentLine(facts.requirements))
  if (code === 'URL_REFUSED') return new CommandError('usage', refusal(message))
  if (code === 'TIMEOUT') return new CommandError('timeout', 'no answer in time')
  const exit = EXITS[code] ?? 'peer'
  if (source === 'agent')
    return new CommandError(exit, `the agent answered ${code}: ${message}${hint(error)}`)
  const why = code === 'UNREACHABLE' ? rootOf(error) : undefined
  return new CommandError(exit, `${message}${why === undefined ? '' : `: ${why}`}${hint(error)}`)
}

/** The price that a task or an answer names, in words. */
export async function paymentLine(requirements: JsonRecord | undefined): Promise<string> {
  const price = await priceOf(requirements)
  return `the agent asks for ${price ?? 'payment'}: this command pays nothing`
}

/** By name: there may be several copies of the package, and it is not loaded here. */
function isAgentError(error: unknown): error is AgentError {
  return error instanceof Error && error.name === 'AgentError' && 'code' in error && 'facts' in error
}

function refusal(message: string): string {
  if (/not a public address/.test(message)) return `${message}: if you trust it, add --allow-private-network`
  if (/must be https/.test(message))
    return `${message} (http is for this machine, and for --allow-private-network)`
  return message
}

function hint({ code, message, facts }: AgentError): string {
  if (code === 'UNAUTHENTICATED') return ' (--token-file <file> says who you are)'
  if (code === 'NO_INTERFACE' && message.includes('another origin'))
    return ' (if you trust it, add --allow-origin <origin>)'
  return facts.retryAfterSeconds === undefined ? '' : ` (again in ${facts.retryAfterSeconds} s)`
}

/** The innermost reason that says something. */
function rootOf({ cause }: Error): string | undefined {
  let found: string | undefined
  for (let at: unknown = cause, depth = 0; at instanceof Error && depth < 4; at = at.cause, depth++)
    found = at.message === '' ? (codeOf(at) ?? found) : at.message
  return found
}

function codeOf(error: Error): string | undefined {
  return 'code' in error && typeof error.code === 'string' ? error.code : undefined
}

/** `0.01 USDC on solana-devnet`: the first way to pay; amounts of tokens nobody knows are in their smallest unit. */
async function priceOf(requirements: JsonRecord | undefined): Promise<string | undefined> {
  const { accepts } = requirements ?? {}
  const [first] = Array.isArray(accepts) ? accepts.filter(isRecord) : []
  // x402 v2, then v1, then the three fields of the dialect.
  const amount = first?.amount ?? first?.maxAmountRequired ?? requirements?.amount
  const asset = first?.asset ?? requirements?.asset
  const name = first?.network ?? requirements?.network
  if (typeof amount !== 'string' || !/^\d{1,20}$/.test(amount) || typeof asset !== 'string') return undefined
  const { formatMoney, networkName, parseNetwork } = await import('@aetherkit/payments')
  const network = parseNetwork(name)
  if (network === undefined) return `${amount} of ${asset} on ${String(name)}`
  return `${formatMoney({ asset, amount: BigInt(amount) }, network)} on ${networkName(network, 'seed')}`
}

function isRecord(value: unknown): value is JsonRecord {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
