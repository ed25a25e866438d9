/**
 * The interfaces of one agent, one of which is spoken (spec a2a 2.12): when the agent does not know what is said to it on
 * the very first call, the next that the card offers is spoken from then on.
 */
import type { JsonRecord } from '../model.js'
import type { OperationName } from '../operations.js'
import type { Binding, CallOptions } from './binding.js'
import type { Choice } from './choose-interface.js'
import { AgentError } from './errors.js'

export interface Session {
  readonly binding: Binding
  /** Of all that was chosen, without a binding for it yet. */
  call(operation: OperationName, params: JsonRecord, options: CallOptions): Promise<unknown>
  /** The binding that streams; falls back as `call` does, before the first event. */
  readonly streaming: Binding
  close(): void
}

/** What says that this version, or this binding, is not served at the URL. */
const UNKNOWN = ['METHOD_NOT_FOUND', 'VERSION_NOT_SUPPORTED']
/** What every agent has: other methods may be missing in any version. */
const COMMON: readonly OperationName[] = ['SendMessage', 'SendStreamingMessage', 'GetTask', 'CancelTask']

export function openSession(choices: readonly Choice[], open: (choice: Choice) => Binding): Session {
  const [first, ...rest] = choices
  if (first === undefined) throw new TypeError('there must be a choice')
  const others = [...rest]
  let binding = open(first)
  /** Something was understood here: from then on a refusal is about the call. */
  let isProven = false

  const next = (error: unknown, tried: Binding, operation: OperationName): boolean => {
    if (isProven || !AgentError.is(error) || !UNKNOWN.includes(error.code)) return false
    if (error.code === 'METHOD_NOT_FOUND' && !COMMON.includes(operation)) return false
    if (tried !== binding) return true
    // Another version first: the same one over another binding says the same.
    const at = others.findIndex(({ version }) => version !== binding.version)
    const [choice] = others.splice(Math.max(at, 0), 1)
    if (choice === undefined) return false
    binding.close()
    binding = open(choice)
    return true
  }
  /** A refusal of anything but the method or the version is an answer, too. */
  const prove = (error?: unknown) => {
    if (
      error === undefined ||
      (AgentError.is(error) && error.source === 'agent' && !UNKNOWN.includes(error.code))
    )
      isProven = true
  }

  const call = async (
    operation: OperationName,
    params: JsonRecord,
    options: CallOptions,
  ): Promise<unknown> => {
    while (true) {
      const tried = binding
      try {
        const result = await tried.call(operation, params, options)
        prove()
        return result
      } catch (error) {
        prove(error)
        if (!next(error, tried, operation)) throw error
      }
    }
  }
  async function* stream(operation: OperationName, params: JsonRecord, options: CallOptions) {
    while (true) {
      const tried = binding
      let hasBegun = false
      try {
        for await (const event of tried.stream(operation, params, options)) {
          hasBegun = true
          prove()
          yield event
        }
        return
      } catch (error) {
        prove(error)
        if (hasBegun || !next(error, tried, operation)) throw error
      }
    }
  }
  return {
    get binding() {
      return binding
    },
    get streaming() {
      const { url, name, version } = binding
      return { url, name, version, call, stream, close: () => {} }
    },
    call,
    close: () => binding.close(),
  }
}
