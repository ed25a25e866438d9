/** The keys of `aether-mcp`, from the environment or from files. No message repeats what was read. */
import { mkdirSync, readFileSync } from 'node:fs'
import { dirname } from 'node:path'
import { fileJournal, keypairSigner } from '@aetherkit/payments'
import type { PaymentWallet } from '@aetherkit/tools/payments'
import { type CommandLine, type Environment, FlagError } from './options.js'

/** 32 bytes, or undefined for a new key. @throws FlagError */
export function agentKey({ keyFile }: CommandLine, env: Environment): Uint8Array | undefined {
  const text = keyFile === undefined ? env.AETHER_KEY : readKey('--key-file', keyFile)
  if (text === undefined || text.trim() === '') return undefined
  if (!/^[0-9a-f]{64}$/i.test(text.trim()))
    throw new FlagError(`${keyFile === undefined ? 'AETHER_KEY' : keyFile} does not hold 64 hex digits`)
  return new Uint8Array(Buffer.from(text.trim(), 'hex'))
}

/** Undefined without a key: then there are no payment tools. @throws FlagError */
export function walletOf(command: CommandLine, env: Environment): PaymentWallet | undefined {
  const { walletFile, network, rpcUrl, journal, budget, hosts } = command
  const text = walletFile === undefined ? env.AETHER_WALLET : readKey('--wallet-file', walletFile)
  if (text === undefined || text.trim() === '') return undefined
  const signer = readSigner(text)
  if (signer === undefined) {
    const name = walletFile ?? 'AETHER_WALLET'
    throw new FlagError(`${name} does not hold a key as solana-keygen writes it: a JSON array of 64 bytes`)
  }
  mkdirSync(dirname(journal), { recursive: true, mode: 0o700 })
  return {
    signer,
    network,
    ...(rpcUrl !== undefined && { rpcUrl }),
    budget,
    journal: fileJournal(journal),
    ...(hosts !== undefined && { policy: { hosts } }),
  }
}

function readKey(flag: string, path: string): string {
  try {
    return readFileSync(path, 'utf8')
  } catch {
    throw new FlagError(`${flag} ${path} cannot be read`)
  }
}

/** Both halves of the key must belong together, too. */
function readSigner(text: string): PaymentWallet['signer'] | undefined {
  try {
    const value: unknown = JSON.parse(text)
    const isByte = (each: unknown) => Number.isInteger(each) && Number(each) >= 0 && Number(each) <= 255
    const isKey = Array.isArray(value) && value.length === 64 && value.every(isByte)
    return isKey ? keypairSigner(Uint8Array.from(value)) : undefined
  } catch {
    return undefined
  }
}
