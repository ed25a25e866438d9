/**
 * Solana transactions byte by byte, for the differential test alone: it can write what no library would.
 *
 *   wire      signature count, signatures 64 each, message
 *   message   [80 | version], signers, read-only signers, read-only others, key count, keys 32 each, blockhash 32,
 *             instruction count, each: program index, account count + indices, data length + data
 *             version 0: lookup count, each: table 32, writable count + indices, read-only count + indices
 *   counts    compact u16: seven bits a byte, low first
 */
import { createPrivateKey, createPublicKey, sign as edSign } from 'node:crypto'

const ALPHABET = '123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz'
/** DER of an Ed25519 private key up to its seed. */
const PKCS8 = Buffer.from('302e020100300506032b657004220420', 'hex')

export function decodeBase58(text) {
  let value = 0n
  for (const character of text) value = value * 58n + BigInt(ALPHABET.indexOf(character))
  const zeros = text.length - text.replace(/^1+/, '').length
  const hex = value === 0n ? '' : value.toString(16)
  return Buffer.concat([Buffer.alloc(zeros), Buffer.from(hex.length % 2 === 0 ? hex : `0${hex}`, 'hex')])
}

export function encodeBase58(bytes) {
  let value = BigInt(`0x${Buffer.from(bytes).toString('hex') || '0'}`)
  let text = ''
  for (; value > 0n; value /= 58n) text = ALPHABET[Number(value % 58n)] + text
  const zeros = bytes.findIndex((byte) => byte !== 0)
  return '1'.repeat(zeros === -1 ? bytes.length : zeros) + text
}

/** From a seed of 32 bytes, or a secret key of 64 that begins with it. */
export function keyPair(secretKey) {
  const der = Buffer.concat([PKCS8, Buffer.from(secretKey.subarray(0, 32))])
  const privateKey = createPrivateKey({ key: der, format: 'der', type: 'pkcs8' })
  const publicKey = createPublicKey(privateKey).export({ format: 'der', type: 'spki' })
  return { address: encodeBase58(publicKey.subarray(-32)), privateKey }
}

/**
 * Orders the keys as a message has them: fee payer, writable signers, read-only signers, writable, read-only.
 * The result is plain and open to change before {@link encodeMessage}.
 */
export function compile({ version, feePayer, blockhash, instructions, lookups = [] }) {
  const roles = new Map([[feePayer, { isSigner: true, isWritable: true }]])
  const add = (address, isSigner, isWritable) => {
    const role = roles.get(address) ?? { isSigner: false, isWritable: false }
    roles.set(address, { isSigner: role.isSigner || isSigner, isWritable: role.isWritable || isWritable })
  }
  for (const { program, accounts } of instructions) {
    for (const { address, isSigner, isWritable } of accounts) add(address, isSigner, isWritable)
    add(program, false, false)
  }
  const rank = ({ isSigner, isWritable }) => (isSigner ? 0 : 2) + (isWritable ? 0 : 1)
  const [first, ...rest] = [...roles]
  const ordered = [first, ...rest.sort(([, a], [, b]) => rank(a) - rank(b))]
  const count = (test) => ordered.filter(([, role]) => test(role)).length
  const keys = ordered.map(([address]) => address)
  return {
    version,
    header: [
      count(({ isSigner }) => isSigner),
      count(({ isSigner, isWritable }) => isSigner && !isWritable),
      count(({ isSigner, isWritable }) => !isSigner && !isWritable),
    ],
    keys,
    blockhash,
    instructions: instructions.map(({ program, accounts, data }) => ({
      program: keys.indexOf(program),
      accounts: accounts.map(({ address }) => keys.indexOf(address)),
      data: Buffer.from(data),
    })),
    lookups,
  }
}

export function encodeMessage({ version, header, keys, blockhash, instructions, lookups }) {
  return Buffer.concat([
    Buffer.from(version === 'legacy' ? [] : [0x80 | version]),
    Buffer.from(header),
    compactU16(keys.length),
    ...keys.map(decodeBase58),
    decodeBase58(blockhash),
    compactU16(instructions.length),
    ...instructions.flatMap(({ program, accounts, data }) => [
      Buffer.from([program]),
      compactU16(accounts.length),
      Buffer.from(accounts),
      compactU16(data.length),
      data,
    ]),
    ...(version === 'legacy'
      ? []
      : [
          compactU16(lookups.length),
          ...lookups.flatMap(({ table, writable, readonly }) => [
            decodeBase58(table),
            compactU16(writable.length),
            Buffer.from(writable),
            compactU16(readonly.length),
            Buffer.from(readonly),
          ]),
        ]),
  ])
}

/** One signature for each required signer: by its key when we have it, else zeros; the sponsor's slot is always zero. */
export function signMessage(message, compiled, signers) {
  return compiled.keys.slice(0, compiled.header[0]).map((address, index) => {
    const signer = index === 0 ? undefined : signers.get(address)
    return signer === undefined ? Buffer.alloc(64) : edSign(null, message, signer.privateKey)
  })
}

export function encodeWire(signatures, message) {
  return Buffer.concat([compactU16(signatures.length), ...signatures, message])
}

function compactU16(value) {
  const bytes = []
  for (let rest = value; ; rest >>= 7) {
    if (rest < 0x80) return Buffer.from([...bytes, rest])
    bytes.push((rest & 0x7f) | 0x80)
  }
}
