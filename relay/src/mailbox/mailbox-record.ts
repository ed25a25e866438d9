/**
 * What is written down of a mailbox: how far it has read, what of that is not done, and what beyond it is. So the record
 * is as long as what is under way, however much was acked and in whatever order.
 */
import { isJsonObject, type JsonValue, parseJson } from '@aetherkit/core'

export interface MailboxRecord {
  /** Of the store that the seqs are of. */
  readonly epoch: string
  /** Hash of the filters, hex. */
  readonly filters: string
  /** Unix time in milliseconds of the last use. */
  readonly used: number
  /** What is for the mailbox up to here was delivered, and is done unless it is in `open`. */
  readonly position: bigint
  /** Not done, and how often each was delivered. */
  readonly open: readonly (readonly [seq: bigint, count: number])[]
  /** Done above the position. */
  readonly early: readonly bigint[]
}

export function writeRecord({ epoch, filters, used, position, open, early }: MailboxRecord): string {
  return JSON.stringify({
    ...{ epoch, filters, used, position: `${position}` },
    open: open.map(([seq, count]) => [`${seq}`, count]),
    early: early.map((seq) => `${seq}`),
  })
}

/** Undefined for what is no record: then the mailbox begins anew, which delivers again but loses nothing. */
export function readRecord(text: string): MailboxRecord | undefined {
  const parsed = parseJson(text)
  if (!parsed.ok || !isJsonObject(parsed.value)) return undefined
  const { epoch, filters, used, position, open, early } = parsed.value
  const at = readSeq(position)
  if (typeof epoch !== 'string' || typeof filters !== 'string' || typeof used !== 'number') return undefined
  if (at === undefined || !Array.isArray(open) || !Array.isArray(early)) return undefined
  const pairs: [bigint, number][] = []
  for (const pair of open) {
    const [text, count] = Array.isArray(pair) ? pair : []
    const seq = readSeq(text)
    if (seq === undefined || typeof count !== 'number') return undefined
    pairs.push([seq, count])
  }
  const done = early.map(readSeq).filter((seq) => seq !== undefined)
  return { epoch, filters, used, position: at, open: pairs, early: done }
}

function readSeq(value: JsonValue | undefined): bigint | undefined {
  return typeof value === 'string' && /^[0-9]{1,20}$/.test(value) ? BigInt(value) : undefined
}
