/** How the command ends: one table of exit codes, one error for what ends it, one line for everything that is thrown. */
import { ClientError, type ClientErrorCode } from '@aetherkit/client'
import { visible } from './visible.js'

/** 130, 141 and 143 are what a shell shows for a process that the signal has ended. */
export const EXIT = {
  ok: 0,
  internal: 1,
  usage: 2,
  noRelay: 3,
  rejected: 4,
  timeout: 5,
  peer: 6,
  file: 7,
  interrupted: 130,
  pipe: 141,
  terminated: 143,
} as const

export type ExitName = keyof typeof EXIT

export const EXIT_HELP = `
Exit codes:
  0    done                              5    no answer in time
  1    internal error                    6    the agent answered with an error
  2    wrong use: flags, input, keys     7    a file cannot be read or written
  3    no relay could be reached         130  ended by SIGINT
  4    refused, by the relay or at       141  whoever read the output is gone
       least one event of an import      143  ended by SIGTERM
`

/** Ends the command; `message` is one line for the user. */
export class CommandError extends Error {
  override readonly name = 'CommandError'
  readonly code: ExitName

  constructor(code: ExitName, message: string) {
    super(message)
    this.code = code
  }

  static is(error: unknown): error is CommandError {
    return error instanceof Error && error.name === 'CommandError'
  }
}

export function usage(message: string): CommandError {
  return new CommandError('usage', message)
}

const CLIENT_EXIT: Partial<Record<ClientErrorCode, ExitName>> = {
  TIMEOUT: 'timeout',
  REJECTED: 'rejected',
  TOO_LARGE: 'rejected',
  DISCONNECTED: 'noRelay',
  WEAK_WELCOME: 'noRelay',
  HANDSHAKE_FAILED: 'noRelay',
  PEER_ERROR: 'peer',
}

/** The exit code of anything thrown, and the line to say; without a line where there is nothing to say. */
export function explain(error: unknown): { readonly exit: ExitName; readonly line?: string } {
  if (CommandError.is(error)) {
    const quiet = ['interrupted', 'terminated', 'pipe'].includes(error.code)
    return quiet ? { exit: error.code } : { exit: error.code, line: visible(error.message) }
  }
  if (ClientError.is(error))
    return { exit: CLIENT_EXIT[error.code] ?? 'internal', line: visible(ofClient(error)) }
  if (hasCode(error, 'EPIPE')) return { exit: 'pipe' }
  if (error instanceof Error && 'syscall' in error) return { exit: 'file', line: visible(error.message) }
  return { exit: 'internal', line: visible(`internal error: ${String(error)}`) }
}

export function hasCode(error: unknown, code: string): error is Error {
  return error instanceof Error && 'code' in error && error.code === code
}

function ofClient(error: ClientError): string {
  const { message, code, peerCode, rejectCode, acknowledged, cause } = error
  if (code === 'PEER_ERROR') return `the agent answered ${peerCode ?? 'PEER_ERROR'}: ${message}`
  if (rejectCode !== undefined) return `${message} (${rejectCode})`
  if (code === 'TIMEOUT' && acknowledged === true) return `${message} (it has the call)`
  return cause instanceof Error ? `${message}: ${cause.message}` : message
}
