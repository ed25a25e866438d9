/** What is done to the bytes of sound payments: after compiling, after signing, and to the base64 text. */
import { sign as edSign } from 'node:crypto'
import { encodeMessage, encodeWire, signMessage } from './message.mjs'

/** Order of the group of Ed25519: S + L is the same number to a lenient verifier. */
const L = 2n ** 252n + 27742317777372353535851937790883648493n

export const BYTES = {
  'bit flipped'(draft, _world, random) {
    draft.wires.push((wire) => {
      const bytes = Buffer.from(wire)
      bytes[random.below(bytes.length)] ^= 1 << random.below(8)
      return bytes
    })
  },
  'bit flipped and signed again'(draft, world, random) {
    draft.wires.push((_wire, { compiled, message }) => {
      const bytes = Buffer.from(message)
      bytes[random.below(bytes.length)] ^= 1 << random.below(8)
      return encodeWire(signMessage(bytes, compiled, world.signers), bytes)
    })
  },
  truncated(draft, _world, random) {
    draft.wires.push((wire) => wire.subarray(0, random.below(wire.length)))
  },
  'bytes after the end'(draft, _world, random) {
    draft.wires.push((wire) => Buffer.concat([wire, random.bytes(1 + random.below(40))]))
  },
  'bytes after the end, signed too'(draft, world, random) {
    draft.wires.push((_wire, { compiled, message }) => {
      const bytes = Buffer.concat([message, random.bytes(1 + random.below(8))])
      return encodeWire(signMessage(bytes, compiled, world.signers), bytes)
    })
  },
  'longer than a packet'(draft, _world, random) {
    const at = draft.instructions[3]
    if (at !== undefined && !draft.memo.isAsked)
      draft.instructions[3] = { ...at, data: Buffer.alloc(760 + random.below(400), 0x6d) }
  },
  'number of signatures changed'(draft, _world, random) {
    draft.wires.push((wire, { message }) => {
      const count = random.pick([0, 1, 3, 4])
      const signatures = Array.from({ length: count }, (_, i) =>
        i === 1 ? wire.subarray(65, 129) : Buffer.alloc(64),
      )
      return encodeWire(signatures, message)
    })
  },
  'length not in its shortest form'(draft, world, random) {
    const isOutside = random.chance(0.5)
    draft.wires.push((wire, { compiled, message }) => {
      if (isOutside) return Buffer.concat([Buffer.from([0x82, 0]), wire.subarray(1)])
      // The number of keys follows the version byte and the three counts.
      const at = compiled.version === 'legacy' ? 3 : 4
      const bytes = Buffer.concat([
        message.subarray(0, at),
        Buffer.from([message[at] | 0x80, 0]),
        message.subarray(at + 1),
      ])
      return encodeWire(signMessage(bytes, compiled, world.signers), bytes)
    })
  },
  'signature missing'(draft) {
    draft.wires.push((wire) => replaceSignature(wire, Buffer.alloc(64)))
  },
  'signature of something else'(draft, world, random) {
    draft.wires.push((wire) => replaceSignature(wire, edSign(null, random.bytes(99), world.buyer.privateKey)))
  },
  'signature with S plus L'(draft) {
    draft.wires.push((wire) => {
      if (wire.length < 129) return wire
      const s = BigInt(`0x${Buffer.from(wire.subarray(97, 129)).reverse().toString('hex')}`) + L
      const bytes = Buffer.from(s.toString(16).padStart(64, '0'), 'hex').reverse()
      return Buffer.concat([wire.subarray(0, 97), bytes, wire.subarray(129)])
    })
  },
  'message version'(draft, world, random) {
    const byte = random.pick([0x81, 0x82, 0xff])
    draft.wires.push((_wire, { compiled }) => {
      const bytes = Buffer.from(encodeMessage({ ...compiled, version: 0 }))
      bytes[0] = byte
      return encodeWire(signMessage(bytes, compiled, world.signers), bytes)
    })
  },
  'wire version 1'(draft) {
    // Message first, signatures last: what SIMD-0385 puts on the wire.
    draft.wires.push((wire, { message }) =>
      Buffer.concat([Buffer.from([0x81]), message.subarray(1), wire.subarray(1, 129)]),
    )
  },
  'header counts changed'(draft, _world, random) {
    draft.edits.push((compiled) => {
      compiled.header[random.below(3)] = random.below(6)
    })
  },
  'one key twice'(draft, _world, random) {
    draft.edits.push((compiled) => {
      const instruction = random.pick(compiled.instructions.filter(({ accounts }) => accounts.length > 0))
      const place = random.below(instruction?.accounts.length ?? 0)
      const key = compiled.keys[instruction?.accounts[place]]
      if (key === undefined) return
      compiled.keys.push(key)
      compiled.header[2]++
      if (random.chance(0.5)) instruction.accounts[place] = compiled.keys.length - 1
    })
  },
  'program twice among the keys'(draft, _world, random) {
    draft.edits.push((compiled) => {
      const instruction = random.pick(compiled.instructions)
      const key = compiled.keys[instruction?.program]
      if (key === undefined) return
      compiled.keys.push(key)
      compiled.header[2]++
      if (random.chance(0.5)) instruction.program = compiled.keys.length - 1
    })
  },
  'index out of range'(draft, _world, random) {
    draft.edits.push((compiled) => {
      const instruction = random.pick(compiled.instructions)
      const index = compiled.keys.length + random.below(3)
      if (instruction === undefined) return
      if (instruction.accounts.length === 0 || random.chance(0.4)) instruction.program = index
      else instruction.accounts[random.below(instruction.accounts.length)] = index
    })
  },
  'text that is not plain base64'(draft, _world, random) {
    draft.texts.push((text) =>
      random.pick([
        ` ${text}`,
        `${text}\n`,
        `${text.slice(0, 80)}\n${text.slice(80)}`,
        text.replaceAll('+', '-').replaceAll('/', '_'),
        text.replace(/=+$/, ''),
        `${text}====`,
        `${text.slice(0, 40)}=${text.slice(40)}`,
        looseLastCharacter(text),
        '',
        'AQ==',
      ]),
    )
  },
}

function replaceSignature(wire, signature) {
  return wire.length < 129 ? wire : Buffer.concat([wire.subarray(0, 65), signature, wire.subarray(129)])
}

/** The same bytes by another last character, where the padding leaves bits that nobody reads. */
function looseLastCharacter(text) {
  const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/'
  const end = text.search(/=+$/)
  if (end === -1) return text
  const last = alphabet.indexOf(text[end - 1])
  return `${text.slice(0, end - 1)}${alphabet[last | 1]}${text.slice(end)}`
}
