/**
 * The interfaces of one agent, one of which is spoken (spec a2a 2.12): when the agent does not know what is said to it on
 * the very first call, or cannot be connected to, the next that the card offers is spoken from then on.
 */
import { GuardError } from '../guard.js'
import type { JsonRecord } from '../model.js'
import type { OperationName } from '../operations.js'
import { isRecord } from '../read-fields.js'
import type { Binding, CallOptions } from './binding.js'
import type { Choice } from './choose-interface.js'
import { AgentError } from './errors.js'

/**
 * How far a call may go from the interface that is spoken: nowhere, or to those that know the caller under the same name.
 * Unless told, a call that names nothing of the caller's goes anywhere until something was understood.
 */
export type Stay = 'interface' | 'caller'

interface SessionOptions extends CallOptions {
  readonly stay?: Stay | undefined
}

export interface Session {
  readonly binding: Binding
  /** Of all that was chosen, without a binding for it yet. */
  call(operation: OperationName, params: JsonRecord, options: SessionOptions): Promise<unknown>
  /** Falls back as `call` does, before the first event. */
  stream(operation: OperationName, params: JsonRecord, options: SessionOptions): ReturnType<Binding['stream']>
  close(): void
}

/** What says that this version, or this binding, is not served at the URL. */
const UNKNOWN = ['METHOD_NOT_FOUND', 'VERSION_NOT_SUPPORTED']
/** What every agent has: other methods may be missing in any version. */
const COMMON: readonly OperationName[] = ['SendMessage', 'SendStreamingMessage', 'GetTask', 'CancelTask']

export function openSession(choices: readonly Choice[], open: (choice: Choice) => Binding): Session {
  const [first] = choices
  if (first === undefined) throw new TypeError('there must be a choice')
  let spoken = first
  let served = [...choices]
  const bindings = new Map<Choice, Binding>()
  /** Something was understood here: from then on a refusal is about the call. */
  const proven = new Set<Choice>()

  const bindingOf = (choice: Choice): Binding => {
    const binding = bindings.get(choice) ?? open(choice)
    bindings.set(choice, binding)
    return binding
  }

  /** Whether there is another interface to ask, which is spoken now. */
  const next = (error: unknown, tried: ReadonlySet<Choice>, ask: Ask): boolean => {
    const { choice, operation } = ask
    const isUnserved =
      AgentError.is(error) &&
      UNKNOWN.includes(error.code) &&
      !proven.has(choice) &&
      (error.code !== 'METHOD_NOT_FOUND' || COMMON.includes(operation))
    if (!isUnserved && !isUnconnected(error)) return false
    if (spoken !== choice) return !tried.has(spoken) && (isUnserved || mayMove(ask, spoken))
    const others = served.filter((other) => !tried.has(other) && (isUnserved || mayMove(ask, other)))
    // Another version first: the same one over another binding says the same.
    const otherVersion = isUnserved && others.find(({ version }) => version !== choice.version)
    const found = otherVersion || others[0]
    if (found === undefined) return false
    if (isUnserved) {
      served = served.filter((other) => other !== choice)
      bindings.get(choice)?.close()
      bindings.delete(choice)
    }
    spoken = found
    return true
  }
  const mayMove = ({ choice, operation, params, stay }: Ask, other: Choice): boolean => {
    if (stay === 'interface') return false
    const isSameCaller =
      (choice.binding === 'aether') === (other.binding === 'aether') && choice.tenant === other.tenant
    return isSameCaller || (stay === undefined && proven.size === 0 && namesNothing(operation, params))
  }
  /** A refusal of anything but the method or the version is an answer, too. */
  const answered = (error: unknown): boolean =>
    AgentError.is(error) && error.source === 'agent' && !UNKNOWN.includes(error.code)

  return {
    get binding() {
      return bindingOf(spoken)
    },
    async call(operation, params, { stay, ...options }) {
      for (const tried = new Set<Choice>(); ; ) {
        const choice = spoken
        tried.add(choice)
        try {
          const result = await bindingOf(choice).call(operation, params, options)
          proven.add(choice)
          return result
        } catch (error) {
          if (answered(error)) proven.add(choice)
          if (!next(error, tried, { choice, operation, params, stay })) throw error
        }
      }
    },
    async *stream(operation, params, { stay, ...options }) {
      for (const tried = new Set<Choice>(); ; ) {
        const choice = spoken
        tried.add(choice)
        let hasBegun = false
        try {
          for await (const event of bindingOf(choice).stream(operation, params, options)) {
            hasBegun = true
            proven.add(choice)
            yield event
          }
          return
        } catch (error) {
          if (answered(error)) proven.add(choice)
          if (hasBegun || !next(error, tried, { choice, operation, params, stay })) throw error
        }
      }
    },
    close() {
      for (const binding of bindings.values()) binding.close()
    },
  }
}

interface Ask {
  readonly choice: Choice
  readonly operation: OperationName
  readonly params: JsonRecord
  readonly stay: Stay | undefined
}

/** Nothing of the request has left this machine. */
export function isUnconnected(error: unknown): boolean {
  if (!AgentError.is(error) || error.facts.isUnsent !== true || error.source !== 'client') return false
  return error.code === 'UNREACHABLE' || (error.code === 'URL_REFUSED' && GuardError.is(error.cause))
}

/** Over another carrier, or for another tenant, the caller is somebody else: no task of its own is there. */
function namesNothing(operation: OperationName, { message }: JsonRecord): boolean {
  if (operation === 'GetExtendedAgentCard') return true
  if (operation !== 'SendMessage' && operation !== 'SendStreamingMessage') return false
  return (
    isRecord(message) &&
    message.taskId === undefined &&
    message.contextId === undefined &&
    message.referenceTaskIds === undefined
  )
}
