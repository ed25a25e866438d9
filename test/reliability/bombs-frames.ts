/** Bombs in `aether.v2` frames (spec 5.4): offsets that share what they point at. */
import { codeByNumber, decodeFrame, encodeFrame } from '@aetherkit/core'
import { RawPeer } from '../../relay/test/raw-peer.js'

const VALUES = 1000
const TEXT_BYTES = 500_000

/** A subscribe whose thousand values are all the same long text, which is there once. */
export function sharingSubscribe(): Buffer {
  const any = ['x'.repeat(TEXT_BYTES), ...Array.from({ length: VALUES - 1 }, (_, i) => `${i}`)]
  const bytes = Buffer.from(
    encodeFrame({ type: 'subscribe', sub: 1, filters: [{ tags: [{ key: 't', any }] }] }),
  )
  for (let at = 0; at + 8 <= bytes.length; at += 4) {
    const text = at + 4 + bytes.readUInt32LE(at + 4)
    if (
      bytes.readUInt32LE(at) !== VALUES ||
      text + 4 > bytes.length ||
      bytes.readUInt32LE(text) !== TEXT_BYTES
    )
      continue
    for (let i = 0; i < VALUES; i++) bytes.writeUInt32LE(text - (at + 4 + 4 * i), at + 4 + 4 * i)
    return bytes
  }
  throw new Error('no vector of that length in the frame')
}

/** What comes back to each frame, in order: a code, or the type of the frame. */
export async function codesOfFrames(port: number, frames: readonly Uint8Array[]): Promise<readonly string[]> {
  const peer = await RawPeer.connect(port, { protocol: 'aether.v2' })
  peer.sayBytes(encodeFrame({ type: 'hello', version: 1, features: [] }))
  await peer.hear()
  for (const frame of frames) peer.sayBytes(frame)
  const codes: string[] = []
  while (codes.length < frames.length) {
    const decoded = decodeFrame((await peer.hear()).payload)
    const frame = decoded.ok ? decoded.frame : undefined
    const code = frame !== undefined && 'code' in frame ? codeByNumber(frame.code) : frame?.type
    if (code !== 'deliver' && code !== 'end') codes.push(code ?? 'unreadable')
  }
  await peer.close()
  return codes
}
