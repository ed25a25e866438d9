/**
 * The one file that imports the Solana library (spec solana 1.1): what crosses its border is plain data.
 */
import { signDigest, verifyDigest } from '@aetherkit/core'
import { base58 } from '@scure/base'
import { Keypair, PublicKey, TransactionInstruction, TransactionMessage } from '@solana/web3.js'
import { PaymentError } from './errors.js'

const ATA_PROGRAM = new PublicKey('ATokenGPvbdGVxr1b2hvZbsiqW5xWH25efTNsLJA8knL')

/**
 * A web3.js `Keypair`, any kit `TransactionPartialSigner`, or a function over message bytes.
 */
export type PaymentSigner =
  | { readonly publicKey: { toBase58(): string }; readonly secretKey: Uint8Array }
  | {
      readonly address: string
      signTransactions(
        transactions: readonly never[],
      ): Promise<readonly Readonly<Record<string, Uint8Array>>[]>
    }
  | { readonly address: string; signMessageBytes(message: Uint8Array): Uint8Array | Promise<Uint8Array> }

export interface Instruction {
  /** Program address, base58. */
  readonly program: string
  readonly accounts: readonly {
    readonly address: string
    readonly isSigner: boolean
    readonly isWritable: boolean
  }[]
  readonly data: Uint8Array
}

/** The 32 bytes of an address; undefined for anything else. */
export function decodeAddress(address: string): Uint8Array | undefined {
  try {
    const bytes = base58.decode(address)
    return bytes.length === 32 ? bytes : undefined
  } catch {
    return undefined
  }
}

export function encodeBase58(bytes: Uint8Array): string {
  return base58.encode(bytes)
}

export function decodeBase58(text: string): Uint8Array {
  return base58.decode(text)
}

/** Derived accounts: a derivation is a search on the curve, and a seller's own is asked for with every payment. */
const derived = new Map<string, string>()
const MAX_DERIVED = 10_000

/** The associated token account: program address of `[owner, token program, mint]`. */
export function associatedAccount(owner: string, tokenProgram: string, mint: string): string {
  const name = `${owner} ${tokenProgram} ${mint}`
  const known = derived.get(name)
  if (known !== undefined) return known
  const account = deriveAccount(owner, tokenProgram, mint)
  if (derived.size >= MAX_DERIVED) derived.clear()
  derived.set(name, account)
  return account
}

function deriveAccount(owner: string, tokenProgram: string, mint: string): string {
  const seeds = [owner, tokenProgram, mint].map((address) => new PublicKey(address).toBytes())
  return PublicKey.findProgramAddressSync(seeds, ATA_PROGRAM)[0].toBase58()
}

/** Message bytes, version 0, no lookup tables, the fee payer first. */
export function encodeMessage(options: {
  readonly feePayer: string
  readonly blockhash: string
  readonly instructions: readonly Instruction[]
}): Uint8Array {
  const instructions = options.instructions.map(
    ({ program, accounts, data }) =>
      new TransactionInstruction({
        programId: new PublicKey(program),
        keys: accounts.map(({ address, isSigner, isWritable }) => ({
          pubkey: new PublicKey(address),
          isSigner,
          isWritable,
        })),
        data: Buffer.from(data),
      }),
  )
  const payerKey = new PublicKey(options.feePayer)
  return new TransactionMessage({ payerKey, recentBlockhash: options.blockhash, instructions })
    .compileToV0Message()
    .serialize()
}

/** The signer's address, base58. */
export function signerAddress(signer: PaymentSigner): string {
  return 'address' in signer ? signer.address : signer.publicKey.toBase58()
}

/** Keys in this process whose first signature was good: they cannot give another one. */
const proven = new WeakSet<PaymentSigner>()

/**
 * Signs message bytes and checks what came back: a signer may be a remote wallet, a key pair may be none.
 * @throws PaymentError `invalid_option` for a signature that is not one
 */
export async function signMessage(
  signer: PaymentSigner,
  message: Uint8Array,
  feePayer: string,
): Promise<Uint8Array> {
  const signature = await rawSignature(signer, message, feePayer)
  if (signature !== undefined && proven.has(signer)) return signature
  const publicKey = decodeAddress(signerAddress(signer))
  if (signature === undefined || publicKey === undefined || !verifyDigest(signature, message, publicKey)) {
    throw new PaymentError('invalid_option', `the signer ${signerAddress(signer)} gave no valid signature`)
  }
  if ('secretKey' in signer) proven.add(signer)
  return signature
}

/** A signer from a 64-byte secret key (seed and public key) or a 32-byte seed. */
export function keypairSigner(secretKey: Uint8Array): PaymentSigner {
  return secretKey.length === 32 ? Keypair.fromSeed(secretKey) : Keypair.fromSecretKey(secretKey)
}

async function rawSignature(
  signer: PaymentSigner,
  message: Uint8Array,
  feePayer: string,
): Promise<Uint8Array | undefined> {
  if ('secretKey' in signer) return signDigest(message, signer.secretKey.subarray(0, 32))
  if ('signMessageBytes' in signer) return signer.signMessageBytes(message)
  // kit brands both members; `never` is what every kit major is assignable to (spec solana 1.3)
  const request = { messageBytes: message, signatures: { [feePayer]: null, [signer.address]: null } } as never
  const [signatures] = await signer.signTransactions([request])
  return signatures?.[signer.address]
}
