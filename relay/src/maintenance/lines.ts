/** Lines of a stream of bytes, however they are cut into chunks. */

/** Longer ones are no event: spec 1.5 leaves room for no more. */
const MAX_LINE = 1 << 22

/** The text of each line without its end; undefined for one that is too long, whose bytes are not kept. */
export async function* linesOf(
  chunks: AsyncIterable<Uint8Array | string>,
): AsyncGenerator<string | undefined> {
  let parts: Buffer[] = []
  let length = 0
  const take = () => {
    const line = length > MAX_LINE ? undefined : Buffer.concat(parts).toString()
    parts = []
    length = 0
    return line
  }
  for await (const chunk of chunks) {
    const bytes = Buffer.from(chunk)
    let at = 0
    for (let end = bytes.indexOf(10); end >= 0; end = bytes.indexOf(10, at)) {
      add(bytes.subarray(at, end))
      yield take()
      at = end + 1
    }
    add(bytes.subarray(at))
  }
  if (length > 0) yield take()

  function add(part: Buffer): void {
    length += part.length
    if (length <= MAX_LINE) parts.push(part)
    else parts = []
  }
}
