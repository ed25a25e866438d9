/** Search by meaning: which texts of a document are embedded, and how near they are. */

/** Structurally the `Embeddings` of LangChain, or anything else that makes vectors of texts. */
export interface DocumentIndex {
  /** Length of a vector. */
  readonly dims: number
  readonly embeddings: {
    embedDocuments(texts: string[]): Promise<number[][]>
    embedQuery(text: string): Promise<number[]>
  }
  /** Fields to embed, such as `title`, `chapters[*].text`, `tags[0]`; `$` is all of the document. Default `['$']`. */
  readonly fields?: readonly string[]
}

/** The vectors of each of some texts. @throws RangeError for vectors of another length or number than they should be. */
export async function embed(index: DocumentIndex, texts: readonly string[]): Promise<Float32Array[]> {
  if (texts.length === 0) return []
  const vectors = await index.embeddings.embedDocuments([...texts])
  if (vectors.length !== texts.length)
    throw new RangeError(`${texts.length} texts were embedded as ${vectors.length} vectors`)
  return vectors.map((vector) => checkVector(index, vector))
}

export async function embedQuery(index: DocumentIndex, text: string): Promise<Float32Array> {
  return checkVector(index, await index.embeddings.embedQuery(text))
}

/** The texts at a field: one, or as many as a `*` or an array selects. Numbers and truth values count as text. */
export function textsAt(document: unknown, field: string): string[] {
  const steps = field === '$' ? [] : field.split(/[.[\]]+/).filter((step) => step !== '')
  let values: unknown[] = [document]
  for (const step of steps) values = values.flatMap((value) => follow(value, step))
  return values.filter((value) => value !== undefined && value !== null).map(toText)
}

/** Cosine of the angle to the nearest of the vectors; undefined when there is none. */
export function similarity(query: Float32Array, vectors: readonly Float32Array[]): number | undefined {
  if (vectors.length === 0) return undefined
  return Math.max(...vectors.map((vector) => cosine(query, vector)))
}

export function vectorBytes(vector: Float32Array): Uint8Array {
  const bytes = new Uint8Array(vector.length * 4)
  const view = new DataView(bytes.buffer)
  for (const [index, value] of vector.entries()) view.setFloat32(index * 4, value)
  return bytes
}

export function readVector(bytes: Uint8Array): Float32Array {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  return Float32Array.from({ length: bytes.length / 4 }, (_, index) => view.getFloat32(index * 4))
}

function follow(value: unknown, step: string): unknown[] {
  if (Array.isArray(value)) {
    if (step === '*') return value
    return /^-?\d+$/.test(step) ? [value.at(Number(step))] : []
  }
  if (typeof value !== 'object' || value === null) return []
  if (step === '*') return Object.values(value)
  return Object.entries(value).flatMap(([key, inner]) => (key === step ? [inner] : []))
}

function toText(value: unknown): string {
  return typeof value === 'object' ? JSON.stringify(value, null, 2) : String(value)
}

function cosine(a: Float32Array, b: Float32Array): number {
  let [dot, one, other] = [0, 0, 0]
  for (let index = 0; index < a.length; index++) {
    const [x, y] = [a[index] ?? 0, b[index] ?? 0]
    dot += x * y
    one += x * x
    other += y * y
  }
  return one === 0 || other === 0 ? 0 : dot / Math.sqrt(one * other)
}

function checkVector({ dims }: DocumentIndex, vector: readonly number[]): Float32Array {
  if (vector.length !== dims) throw new RangeError(`a vector of ${dims} expected, got ${vector.length}`)
  return Float32Array.from(vector)
}
