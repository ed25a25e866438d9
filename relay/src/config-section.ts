/** Reading an object of the configuration file: every complaint names the key, where it stands, and what is meant. */

/** A setting that cannot be: the message is one line for the user. */
export class FlagError extends Error {
  override readonly name = 'FlagError'
}

export class Section {
  readonly #values: Readonly<Record<string, unknown>>
  readonly #path: string
  readonly #file: string
  readonly #read = new Set<string>()

  /** `path`: of this object in the file, empty for the whole. @throws FlagError for what is no object. */
  constructor(value: unknown, path: string, file: string) {
    this.#path = path
    this.#file = file
    if (typeof value !== 'object' || value === null || Array.isArray(value))
      throw new FlagError(
        `${path === '' ? file : `${path} in ${file}`} must be an object, got ${show(value)}`,
      )
    this.#values = { ...value }
  }

  get keys(): readonly string[] {
    return Object.keys(this.#values)
  }

  raw(key: string): unknown {
    this.#read.add(key)
    return this.#values[key]
  }

  /** How the key is named in a complaint. */
  nameOf(key: string): string {
    return `${this.#path === '' ? '' : `${this.#path}.`}${key} in ${this.#file}`
  }

  integer(key: string, min: number, max: number): number | undefined {
    const value = this.raw(key)
    if (value === undefined) return undefined
    if (typeof value === 'number' && Number.isSafeInteger(value) && value >= min && value <= max) return value
    throw this.#error(key, `an integer from ${min} to ${max}`)
  }

  positive(key: string): number | undefined {
    const value = this.raw(key)
    if (value === undefined) return undefined
    if (typeof value === 'number' && value > 0 && Number.isFinite(value)) return value
    throw this.#error(key, 'a positive number')
  }

  boolean(key: string): boolean | undefined {
    const value = this.raw(key)
    if (value === undefined || typeof value === 'boolean') return value
    throw this.#error(key, 'true or false')
  }

  text(key: string): string | undefined {
    const value = this.raw(key)
    if (value === undefined || typeof value === 'string') return value
    throw this.#error(key, 'a text')
  }

  choice<T extends string>(key: string, choices: readonly T[]): T | undefined {
    const value = this.raw(key)
    if (value === undefined) return undefined
    const choice = choices.find((each) => each === value)
    if (choice !== undefined) return choice
    throw this.#error(key, `one of ${choices.join(', ')}`)
  }

  texts(key: string): readonly string[] | undefined {
    const value = this.raw(key)
    if (value === undefined) return undefined
    if (Array.isArray(value) && value.every((each) => typeof each === 'string')) return value
    throw this.#error(key, 'a list of texts')
  }

  /** Kinds, each a number or `[from, to]`. */
  kinds(key: string): readonly (readonly [number, number])[] | undefined {
    const value = this.raw(key)
    if (value === undefined) return undefined
    const isKind = (kind: unknown) => Number.isInteger(kind) && Number(kind) >= 0 && Number(kind) <= 0xffff
    const ranges = (Array.isArray(value) ? value : [undefined]).map((each: unknown) => {
      const [from, to, ...rest]: unknown[] = Array.isArray(each) ? each : [each, each]
      if (!isKind(from) || !isKind(to) || Number(from) > Number(to) || rest.length > 0)
        throw this.#error(key, 'a list of kinds like [1, [20000, 29999]]')
      return [Number(from), Number(to)] as const
    })
    return ranges
  }

  section(key: string): Section | undefined {
    const value = this.raw(key)
    return value === undefined ? undefined : new Section(value, this.#within(key), this.#file)
  }

  sections(key: string): readonly Section[] {
    const value = this.raw(key)
    if (value === undefined) return []
    if (!Array.isArray(value)) throw this.#error(key, 'a list of objects')
    return value.map((each, i) => new Section(each, `${this.#within(key)}[${i}]`, this.#file))
  }

  /** What `read` throws for a value of the key, told of the key. */
  guard<T>(key: string, read: () => T): T {
    try {
      return read()
    } catch (error) {
      if (error instanceof FlagError) throw error
      throw new FlagError(`${this.nameOf(key)}: ${error instanceof Error ? error.message : String(error)}`)
    }
  }

  /** To be called when all is read. @throws FlagError for a key that nobody has asked for. */
  end(): void {
    const unknown = this.keys.find((key) => !this.#read.has(key))
    if (unknown === undefined) return
    const known = [...this.#read].sort().join(', ')
    throw new FlagError(`${this.nameOf(unknown)} is no setting: there are ${known}`)
  }

  #within(key: string): string {
    return this.#path === '' ? key : `${this.#path}.${key}`
  }

  #error(key: string, meant: string): FlagError {
    return new FlagError(`${this.nameOf(key)} must be ${meant}, got ${show(this.#values[key])}`)
  }
}

/** For a message of one line. */
function show(value: unknown): string {
  const text = JSON.stringify(value) ?? String(value)
  return text.length > 80 ? `${text.slice(0, 77)}...` : text
}
