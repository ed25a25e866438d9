/** The secret of the operator (spec 13.2): compared in a time that does not depend on what is shown. It may change. */
import { timingSafeEqual } from 'node:crypto'
import type { IncomingMessage } from 'node:http'
import { blake3 } from '@aetherkit/core'

/** Visible ASCII, so that it fits a header; short ones could be guessed. */
const TOKEN = /^[\x21-\x7e]{16,256}$/

export class AdminToken {
  #digest: Uint8Array | undefined
  readonly #replaced: (() => void)[] = []

  /** Absent: there is none, and nobody is the operator. @throws RangeError as {@link assertAdminToken}. */
  constructor(token: string | undefined) {
    this.#digest = digestOf(token)
  }

  get isSet(): boolean {
    return this.#digest !== undefined
  }

  /** From now on this one. The same one changes nothing. @throws RangeError as {@link assertAdminToken}. */
  replace(token: string | undefined): void {
    const [old, digest] = [this.#digest, digestOf(token)]
    if (old === digest || (old !== undefined && digest !== undefined && timingSafeEqual(old, digest))) return
    this.#digest = digest
    for (const tell of this.#replaced) tell()
  }

  /** Runs when who was let in may be so no longer. */
  onReplace(tell: () => void): void {
    this.#replaced.push(tell)
  }

  /** Whether the request shows the token, as `Authorization: Bearer`. */
  admits({ headers }: IncomingMessage): boolean {
    const shown = /^bearer +(\S+)$/i.exec(headers.authorization ?? '')?.[1]
    return this.#digest !== undefined && shown !== undefined && timingSafeEqual(this.#digest, digest(shown))
  }
}

/** @throws RangeError for a token that is too short, too long, or has other characters than visible ASCII. */
export function assertAdminToken(token: string): void {
  if (TOKEN.test(token)) return
  const got = `${token.length} characters`
  // The message does not hold the token.
  throw new RangeError(`the admin token must be 16 to 256 visible ASCII characters, got ${got}`)
}

function digestOf(token: string | undefined): Uint8Array | undefined {
  if (token === undefined) return undefined
  assertAdminToken(token)
  return digest(token)
}

/** Of equal length whatever is shown. */
function digest(token: string): Uint8Array {
  return blake3(Buffer.from(token))
}
