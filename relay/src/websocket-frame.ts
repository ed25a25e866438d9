/**
 * WebSocket frames of a server (RFC 6455, 5.2): one unmasked frame a message, never fragmented, never compressed.
 *
 *   0   0x80 | opcode       1
 *   1   length              1   up to 125; 126: u16 follows; 127: u64 follows (big-endian)
 *       payload             n
 */

const TEXT = 1
const BINARY = 2

/** One ready frame around UTF-8 text. */
export function textFrame(text: string): Buffer {
  const length = Buffer.byteLength(text)
  const frame = Buffer.allocUnsafe(headerSize(length) + length)
  frame.write(text, writeHeader(frame, TEXT, length))
  return frame
}

/** One ready frame around bytes, which are copied. */
export function binaryFrame(payload: Uint8Array): Buffer {
  const frame = Buffer.allocUnsafe(headerSize(payload.length) + payload.length)
  frame.set(payload, writeHeader(frame, BINARY, payload.length))
  return frame
}

function headerSize(length: number): number {
  return length < 126 ? 2 : length < 0x10000 ? 4 : 10
}

/** Returns where the payload begins. */
function writeHeader(frame: Buffer, opcode: typeof TEXT | typeof BINARY, length: number): number {
  frame[0] = 0x80 | opcode
  if (length < 126) {
    frame[1] = length
    return 2
  }
  if (length < 0x10000) {
    frame[1] = 126
    return frame.writeUInt16BE(length, 2)
  }
  frame[1] = 127
  return frame.writeBigUInt64BE(BigInt(length), 2)
}
