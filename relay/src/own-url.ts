/**
 * Which URL in a signed event names this relay. What a client says in `Host` would not do: another relay that passes
 * a proof on could say its own.
 */

export interface OwnPlace {
  /** Under which clients know the relay; none: the address that the connection came in on. */
  readonly urls: readonly string[]
  /** Where the connection came in. */
  readonly local: { readonly address: string; readonly port: number }
}

/** A path of this relay, and the query with its question mark. */
export interface OwnPath {
  readonly path: string
  readonly search: string
}

/** What the text says behind the URL of this relay, one for each URL that it begins with; empty: none, it is another. */
export function ownPaths(text: string | undefined, { urls, local }: OwnPlace): readonly OwnPath[] {
  const claimed = readUrl(text)
  if (claimed === undefined) return []
  const { path, search } = claimed
  if (urls.length === 0) {
    const isHere =
      claimed.host === local.address || (claimed.host === 'localhost' && isLoopback(local.address))
    return isHere && claimed.port === local.port ? [{ path, search }] : []
  }
  return urls.flatMap((url) => {
    const own = readUrl(url)
    if (own?.host !== claimed.host || own.port !== claimed.port) return []
    const base = own.path.replace(/\/+$/, '')
    if (path !== base && !path.startsWith(`${base}/`)) return []
    return [{ path: path.slice(base.length), search }]
  })
}

export function isLoopback(address: string): boolean {
  return address === '::1' || address.startsWith('127.')
}

function readUrl(
  text: string | undefined,
): { host: string; port: number; path: string; search: string } | undefined {
  if (text === undefined || !URL.canParse(text)) return undefined
  const { protocol, hostname, port, pathname: path, search } = new URL(text)
  const isSecure = protocol === 'wss:' || protocol === 'https:'
  if (!isSecure && protocol !== 'ws:' && protocol !== 'http:') return undefined
  return {
    host: hostname.replace(/^\[|\]$/g, ''),
    port: port === '' ? (isSecure ? 443 : 80) : Number(port),
    ...{ path, search },
  }
}
