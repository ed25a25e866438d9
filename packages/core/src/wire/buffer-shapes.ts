/**
 * The tables of schemas/event.fbs, schemas/frame.fbs and schemas/message.fbs as the bounds verifier sees them, fields
 * in slot order (spec 5.2, 4.2). Whatever is appended there is appended here.
 */
import type { FieldShape, TableShape } from './verify-buffer.js'

export const EVENT_IDENTIFIER = 'AEV2'
export const FRAME_IDENTIFIER = 'AFR2'

const BYTE = inline(1)
const SHORT = inline(2)
const INT = inline(4)
const LONG = inline(8)
const ID = inline(32)
const STRING = field('string', 4)
const STRINGS = field('strings', 4)
const OCTETS = field('scalars', 1)

const TAG = table([required(STRING), STRINGS])

export const EVENT = table([
  required(ID),
  required(ID),
  LONG,
  SHORT,
  tables(TAG),
  OCTETS,
  required(inline(64)),
])

const NESTED_EVENT: FieldShape = {
  ...required(field('nested', 1)),
  table: EVENT,
  identifier: EVENT_IDENTIFIER,
}

const TAG_FILTER = table([required(STRING), STRINGS])
const FILTER = table([
  STRINGS,
  STRINGS,
  field('scalars', 2),
  tables(TAG_FILTER),
  tables(TAG),
  LONG,
  LONG,
  INT,
  BYTE,
])

/** In the order of `union Body`. */
const BODIES: readonly TableShape[] = [
  table([INT, STRINGS]),
  table([INT, STRINGS, INT, STRING]),
  table([NESTED_EVENT]),
  table([required(ID), BYTE, LONG]),
  table([ID, SHORT, STRING, INT]),
  table([INT, tables(FILTER), STRING]),
  table([INT, BYTE]),
  table([INT]),
  table([field('scalars', 4), LONG, BYTE, NESTED_EVENT, SHORT]),
  table([INT, STRING]),
  table([INT, SHORT, STRING]),
  table([required(STRING)]),
  table([NESTED_EVENT]),
  table([INT, required(ID), required(STRING), tables(FILTER), BYTE, INT, INT]),
  table([INT, field('scalars', 8)]),
  table([INT, field('scalars', 8), INT]),
  table([INT, required(ID), required(STRING)]),
  table([INT, field('scalars', 8)]),
  table([INT]),
]

export const FRAME = table([BYTE, { ...required(field('union', 4)), members: BODIES }])

export const MESSAGE = table([BYTE, OCTETS])

function table(fields: readonly FieldShape[]): TableShape {
  return { fields }
}

function inline(size: number): FieldShape {
  return field('inline', size)
}

function tables(element: TableShape): FieldShape {
  return { ...field('tables', 4), table: element }
}

function required(shape: FieldShape): FieldShape {
  return { ...shape, required: true }
}

function field(holds: FieldShape['holds'], size: number): FieldShape {
  return { holds, size, required: false, table: undefined, members: [], identifier: undefined }
}
