/**
 * The bounds check that runs before any read of a FlatBuffer (spec 5.4).
 *
 * The runtime reads zeros out of range, so a broken buffer would pass for an empty one. What passes here can be read
 * by offsets without a further check, but for the text of its strings, which is decoded as fatal UTF-8 where it is read.
 */
import { type Reject, reject } from '../codes.js'

/** One field of a table, in slot order. `size` is what it takes in the table, for a vector of scalars of one element. */
export interface FieldShape {
  readonly holds: 'inline' | 'string' | 'scalars' | 'strings' | 'tables' | 'union' | 'nested'
  readonly size: number
  readonly required: boolean
  /** The element of `tables`, the root of `nested`. */
  readonly table: TableShape | undefined
  /** The members of a `union` by type number less one; its type is the slot before. */
  readonly members: readonly TableShape[]
  /** File identifier of `nested`. */
  readonly identifier: string | undefined
}

export interface TableShape {
  readonly fields: readonly FieldShape[]
}

export interface BufferLimits {
  /** Bytes of the buffer; default 1 MiB (spec 7.5). */
  readonly maxFrame?: number
  /** Tables and strings visited; default 140 000, what the tag limits of spec 1.5 can fill. */
  readonly maxItems?: number
}

export const MAX_FRAME = 1024 * 1024
const MAX_ITEMS = 140_000
const MAX_DEPTH = 8
/** Root offset, identifier or an empty vtable, an empty table. */
const MIN_BUFFER = 12

/**
 * Checks the whole buffer against the shape of its root. `identifier`: four ASCII characters at offset 4, or undefined
 * for a schema without one. A failure is `invalid_message`; an unknown union member is `unsupported`.
 */
export function verifyBuffer(
  bytes: Uint8Array,
  root: TableShape,
  identifier: string | undefined,
  limits: BufferLimits = {},
): Reject | undefined {
  const maxFrame = limits.maxFrame ?? MAX_FRAME
  if (bytes.length > maxFrame) return broken(`buffer of more than ${maxFrame} bytes`)
  const budget: Budget = { items: limits.maxItems ?? MAX_ITEMS, octets: maxFrame, unknownMember: undefined }
  const fault = checkRoot(bytes, root, identifier, budget, 0)
  if (fault === undefined) return undefined
  if (budget.unknownMember !== undefined) {
    return reject('unsupported', undefined, `frame of unknown type ${budget.unknownMember}`)
  }
  return broken(fault)
}

/** The reject of a buffer that cannot be read. */
export function broken(detail: string): Reject {
  return reject('invalid_message', undefined, detail)
}

/**
 * Offsets may alias, so both the count of what is visited and the bytes that reading it would copy are bounded;
 * the second never exceeds the buffer unless something is shared.
 */
interface Budget {
  items: number
  octets: number
  unknownMember: number | undefined
}

interface Walk {
  readonly bytes: Uint8Array
  readonly view: DataView
  readonly budget: Budget
}

/** Each check answers what is wrong, or undefined. */
type Fault = string | undefined

function checkRoot(
  bytes: Uint8Array,
  root: TableShape,
  identifier: string | undefined,
  budget: Budget,
  depth: number,
): Fault {
  if (bytes.length < MIN_BUFFER) return `buffer of less than ${MIN_BUFFER} bytes`
  if (identifier !== undefined) {
    for (let i = 0; i < 4; i++) {
      if (bytes[4 + i] !== identifier.charCodeAt(i)) return `file identifier is not ${identifier}`
    }
  }
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length)
  const at = view.getUint32(0, true)
  if (at < 8 || at > bytes.length - 4) return 'root outside the buffer'
  return checkTable({ bytes, view, budget }, at, root, depth + 1)
}

/** `at` is at most length - 4. */
function checkTable(walk: Walk, at: number, shape: TableShape, depth: number): Fault {
  const { view, budget } = walk
  const length = walk.bytes.length
  if (depth > MAX_DEPTH) return `nested deeper than ${MAX_DEPTH}`
  if (--budget.items < 0) return 'too many tables and strings'
  const vtable = at - view.getInt32(at, true)
  if (vtable < 0 || vtable > length - 4) return 'vtable outside the buffer'
  const vtableSize = view.getUint16(vtable, true)
  if (vtableSize < 4 || vtableSize % 2 !== 0 || vtable + vtableSize > length) return 'vtable of a wrong size'
  const size = view.getUint16(vtable + 2, true)
  if (size < 4 || at + size > length) return 'table outside the buffer'
  const { fields } = shape
  for (let slot = 0; slot < fields.length; slot++) {
    const field = fields[slot]!
    const entry = vtableEntry(view, vtable, vtableSize, slot)
    if (entry === 0) {
      if (field.required) return `required field ${slot} is missing`
      if (field.holds === 'union' && vtableEntry(view, vtable, vtableSize, slot - 1) !== 0) {
        return 'union without a body'
      }
      continue
    }
    const inTable = field.holds === 'inline' ? field.size : 4
    if (entry + inTable > size) return `field ${slot} outside its table`
    if (field.holds === 'inline') continue
    const fault =
      field.holds === 'union'
        ? checkUnion(walk, at, entry, vtableEntry(view, vtable, vtableSize, slot - 1), field, depth)
        : checkField(walk, at + entry, field, depth)
    if (fault !== undefined) return fault
  }
  return undefined
}

function vtableEntry(view: DataView, vtable: number, vtableSize: number, slot: number): number {
  const entryAt = 4 + 2 * slot
  return entryAt < vtableSize ? view.getUint16(vtable + entryAt, true) : 0
}

/** `typeEntry` was checked by the slot before. */
function checkUnion(
  walk: Walk,
  table: number,
  entry: number,
  typeEntry: number,
  field: FieldShape,
  depth: number,
): Fault {
  const type = typeEntry === 0 ? 0 : walk.bytes[table + typeEntry]!
  if (type === 0) return 'union of type NONE'
  const member = field.members[type - 1]
  if (member === undefined) {
    walk.budget.unknownMember = type
    return 'union of an unknown type'
  }
  const target = follow(walk, table + entry)
  if (target < 0) return 'offset outside the buffer'
  return checkTable(walk, target, member, depth + 1)
}

function checkField(walk: Walk, at: number, field: FieldShape, depth: number): Fault {
  const target = follow(walk, at)
  if (target < 0) return 'offset outside the buffer'
  if (field.holds === 'string') return checkString(walk, target)
  const count = walk.view.getUint32(target, true)
  const left = walk.bytes.length - target - 4
  if (field.holds === 'scalars' || field.holds === 'nested') {
    if (count > left / field.size) return 'vector outside the buffer'
    if (field.holds === 'scalars') return charge(walk, count * field.size)
    const inner = walk.bytes.subarray(target + 4, target + 4 + count)
    return checkRoot(inner, field.table!, field.identifier, walk.budget, depth)
  }
  if (count > left / 4) return 'vector outside the buffer'
  if (count > walk.budget.items) return 'too many tables and strings'
  for (let i = 0; i < count; i++) {
    const element = follow(walk, target + 4 + 4 * i)
    if (element < 0) return 'offset outside the buffer'
    const fault =
      field.holds === 'strings'
        ? checkString(walk, element)
        : checkTable(walk, element, field.table!, depth + 1)
    if (fault !== undefined) return fault
  }
  return undefined
}

function checkString(walk: Walk, at: number): Fault {
  if (--walk.budget.items < 0) return 'too many tables and strings'
  const length = walk.view.getUint32(at, true)
  if (length >= walk.bytes.length - at - 4) return 'string outside the buffer'
  if (walk.bytes[at + 4 + length] !== 0) return 'string without a terminating zero'
  return charge(walk, length)
}

function charge(walk: Walk, octets: number): Fault {
  walk.budget.octets -= octets
  return walk.budget.octets < 0 ? 'shared vectors and strings of too many bytes' : undefined
}

/** Target of the offset at `at`; -1 for 0 and for what leaves no room for a length or a table. */
function follow(walk: Walk, at: number): number {
  const offset = walk.view.getUint32(at, true)
  const target = at + offset
  return offset === 0 || target > walk.bytes.length - 4 ? -1 : target
}
