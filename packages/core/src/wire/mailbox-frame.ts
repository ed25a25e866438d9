/** The frames of durable mailboxes (schemas/README.md, "Mailboxes"), written and read by the generated code. */
import { type Builder, Encoding, type Offset } from 'flatbuffers'
import { type Reject, reject } from '../codes.js'
import type { Filter } from '../filter.js'
import { Body } from '../generated/body.js'
import { Bytes32 } from '../generated/bytes32.js'
import type { Frame as FrameTable } from '../generated/frame.js'
import { Mailbox } from '../generated/mailbox.js'
import { MailboxAck } from '../generated/mailbox-ack.js'
import { MailboxAcked } from '../generated/mailbox-acked.js'
import { MailboxDelete } from '../generated/mailbox-delete.js'
import { MailboxDeleted } from '../generated/mailbox-deleted.js'
import { MailboxNack } from '../generated/mailbox-nack.js'
import { fromHex, hexAt } from '../hex.js'
import { textOf, writeText } from './buffer-fields.js'
import { MAX_FILTERS, MAX_VALUES, readFilterTable, writeFilterTable } from './filter-buffer.js'
import { U64, u32 } from './frame-buffer.js'
import {
  badName,
  isMailboxName,
  MAX_SEQS,
  type MailboxAnswer,
  type MailboxRequest,
  tooManySeqs,
} from './mailbox-message.js'
import { broken } from './verify-buffer.js'

/** Chosen by the client, unique on its connection, u32. */
interface Sub {
  readonly sub: number
}
export type MailboxFrame = MailboxRequest<Sub> | MailboxAnswer<Sub>

type Read = { ok: true; frame: MailboxFrame } | (Reject & { readonly sub?: number })

/** Vtable offset of the filters: an absent list narrows nothing. */
const FILTERS = 10
const UTF8 = Encoding.UTF8_BYTES

/** @throws TypeError or RangeError for a field that does not fit. */
export function buildMailboxFrame(builder: Builder, frame: MailboxFrame): [Body, Offset] {
  const sub = u32(frame.sub, 'sub')
  switch (frame.type) {
    case 'mailbox':
      return [Body.Mailbox, buildMailbox(builder, frame)]
    case 'mailbox_ack': {
      const seqs = MailboxAck.createSeqsVector(builder, frame.seqs.map(u64))
      return [Body.MailboxAck, MailboxAck.createMailboxAck(builder, sub, seqs)]
    }
    case 'mailbox_nack': {
      const seqs = MailboxNack.createSeqsVector(builder, frame.seqs.map(u64))
      const delay = u32(frame.delayMs ?? 0, 'delayMs')
      return [Body.MailboxNack, MailboxNack.createMailboxNack(builder, sub, seqs, delay)]
    }
    case 'mailbox_delete': {
      const name = writeText(builder, frame.name, 'name')
      MailboxDelete.startMailboxDelete(builder)
      MailboxDelete.addSub(builder, sub)
      MailboxDelete.addPubkey(builder, writeKey(builder, frame.pubkey))
      MailboxDelete.addName(builder, name)
      return [Body.MailboxDelete, MailboxDelete.endMailboxDelete(builder)]
    }
    case 'mailbox_acked': {
      const seqs = MailboxAcked.createSeqsVector(builder, frame.seqs.map(u64))
      return [Body.MailboxAcked, MailboxAcked.createMailboxAcked(builder, sub, seqs)]
    }
    case 'mailbox_deleted':
      return [Body.MailboxDeleted, MailboxDeleted.createMailboxDeleted(builder, sub)]
  }
}

/** Undefined for a frame that is none of these. Refuses as the JSON form does. */
export function readMailboxFrame(type: Body, frame: FrameTable, limits: FilterLimits): Read | undefined {
  switch (type) {
    case Body.Mailbox:
      return readMailbox(frame.body(new Mailbox()), limits)
    case Body.MailboxAck:
      return withSeqs(frame.body(new MailboxAck()), (rest) => ({ type: 'mailbox_ack', ...rest }))
    case Body.MailboxAcked:
      return withSeqs(frame.body(new MailboxAcked()), (rest) => ({ type: 'mailbox_acked', ...rest }))
    case Body.MailboxNack: {
      const body: MailboxNack = frame.body(new MailboxNack())
      const delayMs = body.delayMs()
      return withSeqs(body, (rest) => ({ type: 'mailbox_nack', ...rest, ...(delayMs > 0 && { delayMs }) }))
    }
    case Body.MailboxDelete: {
      const body: MailboxDelete = frame.body(new MailboxDelete())
      const place = readPlace(body)
      return place.ok
        ? { ok: true, frame: { type: 'mailbox_delete', sub: body.sub(), ...place.place } }
        : { ...place, sub: body.sub() }
    }
    case Body.MailboxDeleted: {
      const body: MailboxDeleted = frame.body(new MailboxDeleted())
      return { ok: true, frame: { type: 'mailbox_deleted', sub: body.sub() } }
    }
    default:
      return undefined
  }
}

interface FilterLimits {
  readonly maxFilters?: number
  readonly maxValues?: number
}

function buildMailbox(builder: Builder, frame: Extract<MailboxFrame, { type: 'mailbox' }>): Offset {
  const { sub, pubkey, from, ackTimeoutMs, maxUnacked } = frame
  const tables = frame.filters?.map((filter) => writeFilterTable(builder, filter))
  const filters = tables && Mailbox.createFiltersVector(builder, tables)
  const name = writeText(builder, frame.name, 'name')
  Mailbox.startMailbox(builder)
  Mailbox.addSub(builder, sub)
  Mailbox.addPubkey(builder, writeKey(builder, pubkey))
  Mailbox.addName(builder, name)
  if (filters !== undefined) Mailbox.addFilters(builder, filters)
  Mailbox.addFromNow(builder, from === 'now')
  if (ackTimeoutMs !== undefined) Mailbox.addAckTimeoutMs(builder, u32(ackTimeoutMs, 'ackTimeoutMs'))
  if (maxUnacked !== undefined) Mailbox.addMaxUnacked(builder, u32(maxUnacked, 'maxUnacked'))
  return Mailbox.endMailbox(builder)
}

function readMailbox(body: Mailbox, limits: FilterLimits): Read {
  const sub = body.sub()
  const read = readPlace(body)
  if (!read.ok) return { ...read, sub }
  const filters = readFilters(body, limits)
  if (!filters.ok) return { ...filters, sub }
  const ackTimeoutMs = body.ackTimeoutMs()
  const maxUnacked = body.maxUnacked()
  return {
    ok: true,
    frame: {
      ...{ type: 'mailbox', sub, ...read.place, from: body.fromNow() ? 'now' : 'start' },
      ...(filters.filters !== undefined && { filters: filters.filters }),
      ...(ackTimeoutMs > 0 && { ackTimeoutMs }),
      ...(maxUnacked > 0 && { maxUnacked }),
    },
  }
}

function readFilters(
  body: Mailbox,
  { maxFilters = MAX_FILTERS, maxValues = MAX_VALUES }: FilterLimits,
): { ok: true; filters: readonly Filter[] | undefined } | Reject {
  const count = body.filtersLength()
  if (body.bb?.__offset(body.bb_pos, FILTERS) === 0) return { ok: true, filters: undefined }
  if (count > maxFilters) return reject('limit_exceeded', undefined, `at most ${maxFilters} filters`)
  const filters: Filter[] = []
  for (let i = 0; i < count; i++) {
    const table = body.filters(i)
    if (table === null) return broken('filter is missing')
    const read = readFilterTable(table, maxValues)
    if (!read.ok) return read
    filters.push(read.filter)
  }
  return { ok: true, filters }
}

/** What the bounds check let pass has a key. */
function readPlace(
  body: Mailbox | MailboxDelete,
): { ok: true; place: { pubkey: string; name: string } } | Reject {
  const key = body.pubkey()
  const name = textOf(body.name(UTF8))
  if (name === undefined) return broken('name is not UTF-8')
  if (key?.bb == null) return broken('pubkey is missing')
  if (!isMailboxName(name)) return badName()
  return { ok: true, place: { pubkey: hexAt(key.bb.bytes(), key.bb_pos, 32), name } }
}

function withSeqs(
  body: MailboxAck | MailboxNack | MailboxAcked,
  frame: (rest: { sub: number; seqs: bigint[] }) => MailboxFrame,
): Read {
  const count = body.seqsLength()
  if (count > MAX_SEQS) return { ...tooManySeqs(), sub: body.sub() }
  const seqs = Array.from({ length: count }, (_, i) => body.seqs(i) ?? 0n)
  return { ok: true, frame: frame({ sub: body.sub(), seqs }) }
}

function writeKey(builder: Builder, hex: string): Offset {
  const key = fromHex(hex)
  if (key.length !== 32) throw new TypeError(`pubkey must be 32 bytes of hex, got ${hex}`)
  return Bytes32.createBytes32(builder, [...key])
}

function u64(seq: bigint): bigint {
  if (seq < 0n || seq > U64) throw new RangeError(`seq must fit u64, got ${seq}`)
  return seq
}
