/** Reads little-endian bytes front to back; every read checks the length first. */
export class ByteReader {
  readonly #bytes: Uint8Array
  readonly #view: DataView
  offset = 0

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  }

  get left(): number {
    return this.#bytes.length - this.offset
  }

  peek(): number {
    this.#need(1)
    return this.#view.getUint8(this.offset)
  }

  u8(): number {
    return this.#view.getUint8(this.#take(1))
  }

  u16(): number {
    return this.#view.getUint16(this.#take(2), true)
  }

  u32(): number {
    return this.#view.getUint32(this.#take(4), true)
  }

  u64(): bigint {
    return this.#view.getBigUint64(this.#take(8), true)
  }

  i64(): bigint {
    return this.#view.getBigInt64(this.#take(8), true)
  }

  /** A copy. */
  bytes(length: number): Uint8Array {
    const at = this.#take(length)
    return new Uint8Array(this.#bytes.subarray(at, at + length))
  }

  /** compact-u16: 7 bits a byte, low first, in the shortest form. */
  compact(): number {
    let value = 0
    for (let shift = 0; shift < 21; shift += 7) {
      const byte = this.u8()
      value |= (byte & 0x7f) << shift
      if ((byte & 0x80) !== 0) continue
      if (byte === 0 && shift > 0) throw new RangeError('length in non-minimal form')
      if (value > 0xffff) break
      return value
    }
    throw new RangeError('length beyond 16 bits')
  }

  list<Item>(read: () => Item): Item[] {
    const items: Item[] = []
    for (let left = this.compact(); left > 0; left--) items.push(read())
    return items
  }

  #take(length: number): number {
    this.#need(length)
    const at = this.offset
    this.offset += length
    return at
  }

  #need(length: number): void {
    if (length > this.left)
      throw new RangeError(`${length} bytes expected at ${this.offset}, ${this.left} left`)
  }
}
