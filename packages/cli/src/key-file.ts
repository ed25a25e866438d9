/** The secret key: from a file that only its owner can read, or from the environment. Never from an argument. */
import { closeSync, fstatSync, fsyncSync, openSync, readFileSync, writeSync } from 'node:fs'
import { readSecretKey, writeSecretKey } from '@aetherkit/core'
import { CommandError, hasCode, usage } from './exit.js'

/** More is no key. */
const MAX_BYTES = 1024
const OTHERS = 0o077

/**
 * The key that the command line or the environment names, if they name one.
 * @throws CommandError usage, file
 */
export function findKey(path: string | undefined, env = process.env): Uint8Array | undefined {
  if (path !== undefined) return readKeyFile(path)
  const text = env.AETHER_SECRET_KEY
  if (text === undefined || text === '') return undefined
  return secretOf(text, 'AETHER_SECRET_KEY')
}

/**
 * Writes a new file, mode 0600.
 * @throws CommandError file, also when there is one already
 */
export function writeKeyFile(path: string, secretKey: Uint8Array): void {
  assertPath(path)
  try {
    const file = openSync(path, 'wx', 0o600)
    try {
      writeSync(file, `${writeSecretKey(secretKey)}\n`)
      fsyncSync(file)
    } finally {
      closeSync(file)
    }
  } catch (error) {
    if (hasCode(error, 'EEXIST'))
      throw new CommandError('file', `${path} is there already: keys are never overwritten`)
    throw error
  }
}

/**
 * The text of a file that nobody but its owner can read.
 * @throws CommandError usage for one that others can read, or that is too long to be what it should
 */
export function readSecretFile(path: string, maxBytes: number): string {
  const file = openSync(path, 'r')
  try {
    const about = fstatSync(file)
    const { mode, size } = about
    if (about.isDirectory()) throw usage(`${path} is a folder, not a file`)
    if (process.platform !== 'win32' && (mode & OTHERS) !== 0) {
      const octal = (mode & 0o777).toString(8).padStart(4, '0')
      throw usage(`${path} can be read by others (mode ${octal}): run chmod 600 ${path}`)
    }
    if (size > maxBytes) throw usage(`${path} holds no secret: it has ${size} bytes`)
    return readFileSync(file, 'utf8')
  } finally {
    closeSync(file)
  }
}

function readKeyFile(path: string): Uint8Array {
  assertPath(path)
  return secretOf(readSecretFile(path, MAX_BYTES), path)
}

/** Neither the text nor the reason it is unreadable is repeated: it may be a secret. */
function secretOf(text: string, from: string): Uint8Array {
  const read = readSecretKey(text.trim())
  if (!read.ok) throw usage(`${from} holds no secret key: 64 hex digits or aesec... expected`)
  return read.secretKey
}

/** A key where a path belongs is on the list of processes and in the history of the shell by now. */
function assertPath(path: string): void {
  if (readSecretKey(path).ok)
    throw usage('a secret key is never an argument: put it into a file and name that, and take a new key')
}
