/** Settings of `aether-relay` whose text is more than a name or a number. What cannot be meant throws FlagError. */
import { FlagError } from './config-section.js'

export const GATEWAYS = ['nostr', 'http'] as const
export type GatewayName = (typeof GATEWAYS)[number]

export const LOG_LEVELS = ['trace', 'debug', 'info', 'warn', 'error', 'silent'] as const
export type LogLevel = (typeof LOG_LEVELS)[number]

export function readGateways(text: string, source: string): ReadonlySet<GatewayName> {
  if (text === 'none') return new Set()
  const names = text.split(',').map((name) => {
    const known = GATEWAYS.find((gateway) => gateway === name.trim())
    if (known !== undefined) return known
    throw new FlagError(
      `${source} must be none or a list of ${GATEWAYS.join(', ')}, got ${JSON.stringify(text)}`,
    )
  })
  return new Set(names)
}

export function readUrls(urls: readonly string[], source: string): readonly string[] {
  const wrong = urls.find((url) => !/^(ws|http)s?:$/.test(URL.canParse(url) ? new URL(url).protocol : ''))
  if (wrong === undefined) return urls
  throw new FlagError(`${source} must be a URL like wss://relay.example, got ${JSON.stringify(wrong)}`)
}

export function readRetention(text: string | undefined, source: string): bigint | undefined {
  if (text === undefined) return undefined
  if (!/^[0-9]{1,19}$/.test(text) || BigInt(text) === 0n)
    throw new FlagError(`${source} must be a positive number of nanoseconds, got ${JSON.stringify(text)}`)
  return BigInt(text)
}

export function readTls(
  { 'tls-cert': cert, 'tls-key': key }: { readonly 'tls-cert'?: string; readonly 'tls-key'?: string },
  source: (name: string) => string,
): { readonly cert: string; readonly key: string } | undefined {
  if (cert === undefined && key === undefined) return undefined
  if (cert === undefined || key === undefined)
    throw new FlagError(
      cert === undefined
        ? `${source('tls-key')} needs --tls-cert beside it`
        : `${source('tls-cert')} needs --tls-key beside it`,
    )
  return { cert, key }
}

export function readLogLevel(text: string, source: string): LogLevel {
  const level = LOG_LEVELS.find((each) => each === text)
  if (level !== undefined) return level
  throw new FlagError(`${source} must be one of ${LOG_LEVELS.join(', ')}, got ${JSON.stringify(text)}`)
}

/** Words between blanks; whoever needs more writes the section `policies.plugin` of the file. */
export function readCommand(text: string | undefined, source: string): readonly string[] | undefined {
  const words = text?.split(' ').filter((word) => word !== '')
  if (words?.length === 0) throw new FlagError(`${source} must name a program`)
  return words
}
