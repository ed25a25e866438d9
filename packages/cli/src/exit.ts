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
  input: 8,
  payment: 9,
  interrupted: 130,
  pipe: 141,
  terminated: 143,
} as const

export type ExitName = keyof typeof EXIT

export const EXIT_HELP = `
Exit codes:
  0  done             4  refused by the relay   8    the agent asks back
  1  internal error   5  no answer in time      9    the agent wants money
  2  wrong use        6  error of the agent     130  ended by SIGINT
  3  nobody reached   7  file error             141  output closed
                                                143  ended by SIGTERM
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
  UNSUPPORTED: 'rejected',
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
  if (error instanceof Error && 'syscall' in error) return { exit: 'file', line: visible(ofSystem(error)) }
  return { exit: 'internal', line: visible(`internal error: ${String(error)}`) }
}

/** `ENOENT: no such file or directory, open 'x'`, with the file in front. */
function ofSystem(error: Error): string {
  const path = 'path' in error && typeof error.path === 'string' ? `${error.path}: ` : ''
  const [, reason = error.message] = /^E[A-Z]+: (.+?)(?:, \w+(?: '.*)?)?$/s.exec(error.message) ?? []
  return `${path}${reason}`
}

export function hasCode(error: unknown, code: string): error is Error {
  return error instanceof Error && 'code' in error && error.code === code
}

function ofClient(error: ClientError): string {
  const { message, code, peerCode, rejectCode, acknowledged, cause } = error
  if (code === 'PEER_ERROR') return `the agent answered ${peerCode ?? 'PEER_ERROR'}: ${message}`
  if (rejectCode !== undefined) return message.endsWith(rejectCode) ? message : `${message} (${rejectCode})`
  if (code === 'TIMEOUT' && acknowledged === true) return `${message} (it has the call)`
  return cause instanceof Error ? `${message}: ${cause.message}` : message
}
