/**
 * Group commit of mailboxes: whatever changed while the last group was being written goes into the next one, with one
 * sync for all. A mailbox is written as it is when its group begins.
 */
import type { MailboxFile } from './mailbox-file.js'

/** The record as it is now; undefined: there is none any more. */
type Read = () => string | undefined

interface Group {
  readonly records: Map<string, Read>
  readonly written: Promise<void>
  resolve(): void
  reject(error: unknown): void
}

export class MailboxJournal {
  readonly #file: MailboxFile
  #next: Group | undefined
  #underWay: ReadonlyMap<string, string | undefined> = new Map()
  #running: Promise<void> | undefined

  constructor(file: MailboxFile) {
    this.#file = file
  }

  /** The record as it was put last, written or not. */
  get(key: string): string | undefined {
    const read = this.#next?.records.get(key)
    if (read !== undefined) return read()
    return this.#underWay.has(key) ? this.#underWay.get(key) : this.#file.get(key)
  }

  /** Resolves when it is durable. Rejects when the group cannot be written: then nothing of it is. */
  put(key: string, read: Read): Promise<void> {
    this.#next ??= newGroup()
    this.#next.records.set(key, read)
    this.#running ??= this.#run()
    return this.#next.written
  }

  /** How many there are whose key begins so, at most `limit`. */
  count(prefix: string, limit: number): number {
    const written = this.#file.page(prefix, limit).filter(([key]) => key.startsWith(prefix))
    const keys = new Set(written.map(([key]) => key))
    for (const records of [this.#underWay, this.#next?.records ?? new Map<string, Read>()])
      for (const key of records.keys()) if (key.startsWith(prefix)) keys.add(key)
    return [...keys].filter((key) => this.get(key) !== undefined).length
  }

  /** Waits for what is under way. */
  async close(): Promise<void> {
    await this.#running
    await this.#file.close()
  }

  async #run(): Promise<void> {
    // At the end of the task: what one turn brings belongs into one group.
    await Promise.resolve()
    for (let group = this.#next; group !== undefined; group = this.#next) {
      this.#next = undefined
      this.#underWay = new Map([...group.records].map(([key, read]) => [key, read()]))
      try {
        await this.#file.write(this.#underWay)
        group.resolve()
      } catch (error) {
        group.reject(error)
      }
      this.#underWay = new Map()
    }
    this.#running = undefined
  }
}

function newGroup(): Group {
  let resolve: () => void = () => {}
  let reject: (error: unknown) => void = () => {}
  const written = new Promise<void>((onResolve, onReject) => {
    resolve = onResolve
    reject = onReject
  })
  // Whoever does not wait for it need not hear of it.
  written.catch(() => {})
  return { records: new Map(), written, resolve, reject }
}
