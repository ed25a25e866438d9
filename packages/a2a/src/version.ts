/**
 * Which A2A a caller speaks (spec a2a 2.3, 2.12): by header or query, not by method name. Empty is 0.3; patch digits are
 * ignored. What is refused names the header and the versions served.
 */
import { A2AError } from './errors.js'

export type Version = '1.0' | '0.3'

export const VERSION_HEADER = 'A2A-Version'

/** @throws A2AError VERSION_NOT_SUPPORTED */
export function negotiateVersion(text: string | undefined, served: readonly Version[]): Version {
  const asked = text?.trim() ?? ''
  const [, major] = /^(\d{1,4}\.\d{1,4})(?:\.\d{1,9})?$/.exec(asked) ?? []
  const version = asked === '' ? '0.3' : major
  const found = served.find((item) => item === version)
  if (found !== undefined) return found
  const problem =
    asked === ''
      ? `A request without the header ${VERSION_HEADER} is taken as version 0.3, which is not served`
      : `Protocol version ${JSON.stringify(asked.slice(0, 32))} is not supported`
  throw new A2AError('VERSION_NOT_SUPPORTED', `${problem}. ${versionHint(served)}`, {
    metadata: { supportedVersions: served.join(', ') },
  })
}

/** What to send, for every refusal that a version may be the reason of. */
export function versionHint(served: readonly Version[]): string {
  return `Send the header ${VERSION_HEADER}: ${served.join(` or ${VERSION_HEADER}: `)}`
}
