/**
 * Frames longer than an event (spec a2a 5): cut into pieces, and put together again under caps of bytes and time for each
 * author, so that nobody can make an agent hold what it never gets whole.
 */
import { randomBytes } from 'node:crypto'
import { type Frame, isPiece, type Piece, readFrame, writeFrame, writePiece } from './frame.js'

export interface PieceLimits {
  /** Plain bytes of a frame that goes whole, 192 KiB by default; sealed and in base64 it fits every relay. */
  readonly pieceBytes?: number
  /** Of one frame, 8 MiB by default. */
  readonly maxBytes?: number
  /** Of all unfinished frames of one author, 16 MiB by default. */
  readonly maxAuthorBytes?: number
  /** Unfinished frames of one author, 16 by default. */
  readonly maxSets?: number
  /** Bytes of all, 128 MiB by default. */
  readonly maxTotalBytes?: number
  /** How long pieces wait for the others, ms, 30 000 by default. */
  readonly keepMs?: number
}

export const DEFAULT_PIECES: Required<PieceLimits> = {
  pieceBytes: 192 * 1024,
  maxBytes: 8 * 1024 * 1024,
  maxAuthorBytes: 16 * 1024 * 1024,
  maxSets: 16,
  maxTotalBytes: 128 * 1024 * 1024,
  keepMs: 30_000,
}

/** What to seal for a frame: itself, or its pieces; undefined when it is longer than a recipient puts together. */
export function cutFrame(frame: Frame, limits: Required<PieceLimits>): readonly Uint8Array[] | undefined {
  const whole = writeFrame(frame)
  const { pieceBytes, maxBytes } = limits
  if (whole.length > maxBytes) return undefined
  if (whole.length <= pieceBytes) return [whole]
  const set = randomBytes(12).toString('hex')
  // Base64 adds a third, and the piece has a few names of its own.
  const size = Math.floor(((pieceBytes - 512) * 3) / 4)
  const total = Math.ceil(whole.length / size)
  const { from, to } = frame
  return Array.from({ length: total }, (_, part) =>
    writePiece({ set, part, total, from, to, data: whole.subarray(part * size, (part + 1) * size) }),
  )
}

interface Waiting {
  readonly author: string
  readonly total: number
  readonly since: number
  readonly parts: Map<number, Uint8Array>
  bytes: number
}

export class Assembler {
  readonly #limits: Required<PieceLimits>
  readonly #waiting = new Map<string, Waiting>()
  #bytes = 0

  constructor(limits: Required<PieceLimits>) {
    this.#limits = limits
  }

  /** The frame that this piece completes; undefined while others are missing, and for what is over a cap. */
  add(author: string, piece: Piece, now: number): Frame | undefined {
    this.#expire(now)
    const { pieceBytes, maxBytes } = this.#limits
    if (piece.total < 2 || piece.total > Math.ceil((maxBytes / pieceBytes) * 2)) return undefined
    const name = `${author} ${piece.set}`
    const found = this.#waiting.get(name)
    if (found !== undefined && (found.total !== piece.total || found.parts.has(piece.part))) return undefined
    if (!this.#hasRoom(author, piece, found)) return undefined
    const waiting = found ?? { author, total: piece.total, since: now, parts: new Map(), bytes: 0 }
    this.#waiting.set(name, waiting)
    waiting.parts.set(piece.part, piece.data)
    waiting.bytes += piece.data.length
    this.#bytes += piece.data.length
    if (waiting.parts.size < waiting.total) return undefined
    this.#drop(name, waiting)
    const parts = Array.from({ length: waiting.total }, (_, at) => waiting.parts.get(at) ?? new Uint8Array())
    const frame = readFrame(Buffer.concat(parts))
    return frame === undefined || isPiece(frame) ? undefined : frame
  }

  #hasRoom(author: string, { data }: Piece, found: Waiting | undefined): boolean {
    const { maxBytes, maxAuthorBytes, maxSets, maxTotalBytes } = this.#limits
    const own = [...this.#waiting.values()].filter((waiting) => waiting.author === author)
    const bytes = own.reduce((sum, waiting) => sum + waiting.bytes, 0)
    if (found === undefined && own.length >= maxSets) return false
    return (
      (found?.bytes ?? 0) + data.length <= maxBytes &&
      bytes + data.length <= maxAuthorBytes &&
      this.#bytes + data.length <= maxTotalBytes
    )
  }

  #expire(now: number): void {
    for (const [name, waiting] of this.#waiting) {
      if (waiting.since + this.#limits.keepMs > now) return
      this.#drop(name, waiting)
    }
  }

  #drop(name: string, { bytes }: Waiting): void {
    this.#waiting.delete(name)
    this.#bytes -= bytes
  }
}
