/** The secret of the operator (spec 13.2): compared in a time that does not depend on what is shown. */
import { timingSafeEqual } from 'node:crypto'
import type { IncomingMessage } from 'node:http'
import { blake3 } from '@aetherkit/core'

/** Visible ASCII, so that it fits a header; short ones could be guessed. */
const TOKEN = /^[\x21-\x7e]{16,256}$/

export class AdminToken {
  readonly #digest: Uint8Array

  /** @throws RangeError for a token that is too short, too long, or has other characters than visible ASCII. */
  constructor(token: string) {
    assertAdminToken(token)
    this.#digest = digest(token)
  }

  /** Whether the request shows the token, as `Authorization: Bearer`. */
  admits({ headers }: IncomingMessage): boolean {
    const shown = /^bearer +(\S+)$/i.exec(headers.authorization ?? '')?.[1]
    return shown !== undefined && timingSafeEqual(this.#digest, digest(shown))
  }
}

/** @throws RangeError as {@link AdminToken}; the message does not hold the token. */
export function assertAdminToken(token: string): void {
  if (TOKEN.test(token)) return
  const got = `${token.length} characters`
  throw new RangeError(`the admin token must be 16 to 256 visible ASCII characters, got ${got}`)
}

/** Of equal length whatever is shown. */
function digest(token: string): Uint8Array {
  return blake3(Buffer.from(token))
}
