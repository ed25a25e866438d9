/**
 * Calls by id (fact 5): frameworks execute a call again when a checkpoint or an approval is replayed, so what has an
 * effect is remembered below any framework. In memory; a wallet has its durable journal in the payments package.
 */
import { ToolError } from './tool-error.js'

export interface JournalCall {
  readonly name: string
  readonly callId: string
  /** The decoded arguments as text; what makes two calls the same. */
  readonly args: string
  /** Spending calls keep unclear failures and refuse a call id with other arguments. */
  readonly spends: boolean
}

export interface CallJournal {
  /** Runs `execute` unless this call has run or is running: then its result. */
  once<T>(call: JournalCall, execute: () => Promise<T>): Promise<T>
}

interface Entry {
  readonly args: string
  readonly result: Promise<unknown>
  /** It ended unclear, and a replay takes up the same payment. */
  isOpen: boolean
}

/**
 * A journal of the newest `capacity` calls. `resumes`: a spending call of unclear outcome runs again when it is replayed,
 * for tools that take up the same payment by its call id; without it such a call stays as it is.
 */
export function createJournal(capacity = 10_000, resumes = false): CallJournal {
  const entries = new Map<string, Entry>()

  function run<T>(key: string, call: JournalCall, execute: () => Promise<T>): Promise<T> {
    const result = execute()
    const entry: Entry = { args: call.args, result, isOpen: false }
    entries.delete(key)
    entries.set(key, entry)
    for (const oldest of entries.keys()) {
      if (entries.size <= capacity) break
      entries.delete(oldest)
    }
    result.catch((error: unknown) => {
      const settled = !call.spends || (ToolError.is(error) && error.paid === false)
      if (settled && entries.get(key) === entry) entries.delete(key)
      else entry.isOpen = resumes
    })
    return result
  }

  function once<T>(call: JournalCall, execute: () => Promise<T>): Promise<T> {
    const key = `${call.name} ${call.callId}`
    const known = entries.get(key)
    if (known === undefined) return run(key, call, execute)
    if (known.args !== call.args) {
      if (!call.spends) return run(key, call, execute)
      const message = 'this call id was used with other arguments; do not retry'
      return Promise.reject(new ToolError({ code: 'REJECTED', message }))
    }
    if (known.isOpen) return run(key, call, execute)
    // The key holds the tool's name and the text of its arguments, so the remembered result is this tool's output.
    const result = known.result as Promise<T>
    return call.spends ? result : result.catch(() => once(call, execute))
  }

  return { once }
}
