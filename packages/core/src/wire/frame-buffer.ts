/**
 * The frames that flow once per event, written by hand (spec 5.2); the generated builder writes the others.
 *
 *   0    root           4   u32 = 16
 *   4    identifier     4   "AFR2"
 *   8    vtable         8   8, 12, 8, 4
 *   16   frame         12   i32 = 8, offset of the body, u8 type of the body, zeros
 *   28   body vtable    n   then the body, 4 behind a multiple of 8 where it has a seq; a nested event begins at a
 *                           multiple of 8
 */
import type { Event } from '../event.js'
import { Body } from '../generated/body.js'
import { writeHex } from './buffer-fields.js'
import { eventBufferSize, writeEventBuffer } from './event-buffer.js'

const BODY_VTABLE = 28
export const U32 = 0xffffffff
export const U64 = 0xffffffffffffffffn
const U16 = 0xffff

/** What became of a published event (spec 2.2), in the order of the schema. */
export const STATUSES = ['stored', 'forwarded', 'duplicate', 'superseded'] as const
export type Status = (typeof STATUSES)[number]

export interface Delivery {
  /** Subscriptions that a stored event answers; none for a live one, so that its frame is the same for everybody. */
  readonly subs: readonly number[]
  readonly seq: bigint
  readonly stored: boolean
  /** Of a mailbox: how often it was delivered, this time included; more than 65535 is that. */
  readonly deliveries?: number
}

/**
 * A `Deliver` frame around an event buffer that is already encoded.
 * @throws RangeError for a subscription number above u32 or a seq above u64.
 */
export function encodeDeliver(delivery: Delivery, event: Uint8Array): Uint8Array {
  const at = deliveredEventAt(delivery)
  const bytes = new Uint8Array(at + event.length)
  writeDeliver(delivery, bytes, event.length)
  bytes.set(event, at)
  return bytes
}

/** A `Deliver` frame with its event. */
export function encodeDeliverEvent(delivery: Delivery, event: Event): Uint8Array {
  const at = deliveredEventAt(delivery)
  const size = eventBufferSize(event)
  const bytes = new Uint8Array(at + size)
  writeDeliver(delivery, bytes, size)
  writeEventBuffer(event, bytes, at)
  return bytes
}

/**
 * A `Publish` or `Auth` frame: a table with an event and nothing else.
 *
 *   28  vtable   6   6, 8, 4
 *   36  body     8   i32 = 8, offset of the event
 *   44  event    n   u32 length, bytes
 */
export function encodeEventFrame(type: Body.Publish | Body.Auth, event: Event): Uint8Array {
  const size = eventBufferSize(event)
  const bytes = new Uint8Array(48 + size)
  const view = writeFrameHead(bytes, type, 36)
  view.setUint32(BODY_VTABLE, 6 | (8 << 16), true)
  view.setUint16(BODY_VTABLE + 4, 4, true)
  view.setUint32(36, 36 - BODY_VTABLE, true)
  view.setUint32(40, 4, true)
  view.setUint32(44, size, true)
  writeEventBuffer(event, bytes, 48)
  return bytes
}

/**
 * An `Accepted` frame.
 *
 *   28  vtable  10   10, 45, 12, 44, 4
 *   44  body    45   i32 = 16, seq u64, id 32, status u8
 *
 * @throws TypeError for an id that is not 32 bytes of hex, RangeError for a seq above u64.
 */
export function encodeAccepted(id: string, status: Status, seq: bigint): Uint8Array {
  const bytes = new Uint8Array(92)
  const view = writeFrameHead(bytes, Body.Accepted, 44)
  view.setUint32(BODY_VTABLE, 10 | (45 << 16), true)
  view.setUint32(BODY_VTABLE + 4, 12 | (44 << 16), true)
  view.setUint16(BODY_VTABLE + 8, 4, true)
  view.setUint32(44, 44 - BODY_VTABLE, true)
  writeSeq(view, 48, seq)
  writeHex(id, bytes, 56, 32, 'id')
  bytes[88] = STATUSES.indexOf(status)
  return bytes
}

/** Where the event of a `Deliver` begins: at a multiple of 8, behind its length. */
function deliveredEventAt({ subs }: Delivery): number {
  return subs.length === 0 ? 72 : (72 + 4 * subs.length + 4 + 7) & ~7
}

/**
 *   28  vtable  12   12, 21, offset of subs in the body or 0, 4, 20, 12; for a mailbox 14, 24 and a sixth, 22
 *   44  body    21   i32 = 16, seq u64, offset of the event, offset of subs or 0, stored u8; for a mailbox to 24 with
 *                    a zero and deliveries u16
 *   68  subs    4n   u32 count, numbers; only when there are some
 *       event    n   u32 length, bytes
 */
function writeDeliver(delivery: Delivery, bytes: Uint8Array, eventSize: number): void {
  const { subs, seq, stored, deliveries } = delivery
  const eventAt = deliveredEventAt(delivery)
  const view = writeFrameHead(bytes, Body.Deliver, 44)
  view.setUint32(BODY_VTABLE, deliveries === undefined ? 12 | (21 << 16) : 14 | (24 << 16), true)
  view.setUint32(BODY_VTABLE + 4, (subs.length > 0 ? 16 : 0) | (4 << 16), true)
  view.setUint32(BODY_VTABLE + 8, 20 | (12 << 16), true)
  view.setUint32(44, 44 - BODY_VTABLE, true)
  writeSeq(view, 48, seq)
  view.setUint32(56, eventAt - 4 - 56, true)
  bytes[64] = stored ? 1 : 0
  if (deliveries !== undefined) {
    view.setUint16(BODY_VTABLE + 12, 22, true)
    view.setUint16(66, Math.min(u32(deliveries, 'deliveries'), U16), true)
  }
  if (subs.length > 0) {
    view.setUint32(60, 68 - 60, true)
    view.setUint32(68, subs.length, true)
    for (let i = 0; i < subs.length; i++) view.setUint32(72 + 4 * i, u32(subs[i]!, 'sub'), true)
  }
  view.setUint32(eventAt - 4, eventSize, true)
}

/** Everything up to the vtable of the body, whose table is at `bodyAt`. */
function writeFrameHead(bytes: Uint8Array, type: Body, bodyAt: number): DataView {
  const view = new DataView(bytes.buffer)
  view.setUint32(0, 16, true)
  view.setUint32(4, 0x32524641, true)
  view.setUint32(8, 8 | (12 << 16), true)
  view.setUint32(12, 8 | (4 << 16), true)
  view.setUint32(16, 8, true)
  view.setUint32(20, bodyAt - 20, true)
  bytes[24] = type
  return view
}

function writeSeq(view: DataView, at: number, seq: bigint): void {
  if (seq < 0n || seq > U64) throw new RangeError(`seq must fit u64, got ${seq}`)
  view.setBigUint64(at, seq, true)
}

/** @throws RangeError when the number is no u32. */
export function u32(value: number, what: string): number {
  if (!Number.isInteger(value) || value < 0 || value > U32) {
    throw new RangeError(`${what} must be 0 to 4294967295, got ${value}`)
  }
  return value
}
