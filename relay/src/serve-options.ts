/** From the settings of the binary to the options of a relay. */
import { readFileSync } from 'node:fs'
import { FlagError } from './config-section.js'
import { assertAdminToken } from './console/admin-token.js'
import { LIMITS, type Limits } from './limits.js'
import type { CommandLine } from './options.js'
import type { PluginOptions } from './policy/plugin.js'
import { type Policy, proofOfWork, rateLimit } from './policy.js'
import { readCredentials, type TlsCredentials } from './tls.js'

/** The file's, then those of the flags. */
export function policiesOf({ file, powDifficulty, rate }: CommandLine): Policy[] {
  return [
    ...file.policies.policies(),
    ...(powDifficulty > 0 ? [proofOfWork(powDifficulty)] : []),
    ...(rate === undefined ? [] : [rateLimit('pubkey', rate)]),
  ]
}

/** The flag's command with the file's conditions, or the file's alone. */
export function pluginOf({ file, policyPlugin }: CommandLine): PluginOptions | undefined {
  const [program, ...args] = policyPlugin ?? []
  if (program === undefined) return file.policies.plugin
  return { ...file.policies.plugin, command: [program, ...args] }
}

export function limitsOf({ file, maxSize }: CommandLine): Limits {
  const event = { ...LIMITS.event, ...file.limits.event }
  return { ...LIMITS, ...file.limits, event: { ...event, maxSize: Math.min(event.maxSize, maxSize) } }
}

/** @throws FlagError when a file cannot be read or does not hold what it should. */
export function credentialsOf({ tls }: CommandLine): TlsCredentials | undefined {
  if (tls === undefined) return undefined
  try {
    return readCredentials(tls.cert, tls.key)
  } catch (error) {
    throw new FlagError(error instanceof Error ? error.message : String(error))
  }
}

/** The first line of its file. @throws FlagError when it cannot be read or holds no token. */
export function adminTokenOf({ httpAdminTokenFile: path }: CommandLine): string | undefined {
  if (path === undefined) return undefined
  try {
    const token = readFileSync(path, 'utf8').split('\n')[0]?.trim() ?? ''
    assertAdminToken(token)
    return token
  } catch (error) {
    throw new FlagError(`${path}: ${error instanceof Error ? error.message : String(error)}`)
  }
}
