/** Allow and deny lists of keys and addresses (spec 3.1, steps 1 and 7). */
import { BlockList, isIP, isIPv6 } from 'node:net'
import { parseHex, reject } from '@aetherkit/core'
import type { Policy } from '../policy.js'

/** Only by these public keys (hex): `restricted`. @throws TypeError for what is no key. */
export function allowPubkeys(pubkeys: Iterable<string>): Policy {
  const allowed = readKeys(pubkeys)
  return Object.assign(
    ({ pubkey }: { pubkey: string }) => (allowed.has(pubkey) ? undefined : reject('restricted')),
    { stage: 'content' as const },
  )
}

/** Nothing by these public keys (hex): `blocked`. @throws TypeError for what is no key. */
export function blockPubkeys(pubkeys: Iterable<string>): Policy {
  const blocked = readKeys(pubkeys)
  return Object.assign(
    ({ pubkey }: { pubkey: string }) => (blocked.has(pubkey) ? reject('blocked') : undefined),
    { stage: 'content' as const },
  )
}

/**
 * Only from these addresses and networks (`10.0.0.0/8`), and from inside the relay: `blocked`.
 * @throws TypeError for what is none.
 */
export function allowAddresses(networks: Iterable<string>): Policy {
  const isListed = readNetworks(networks)
  return Object.assign(
    (_event: unknown, { address }: { address: string }) =>
      isIP(address) === 0 || isListed(address) ? undefined : reject('blocked', undefined, 'by address'),
    { stage: 'rate' as const },
  )
}

/** Nothing from these addresses and networks: `blocked`. @throws TypeError for what is none. */
export function blockAddresses(networks: Iterable<string>): Policy {
  const isListed = readNetworks(networks)
  return Object.assign(
    (_event: unknown, { address }: { address: string }) =>
      isListed(address) ? reject('blocked', undefined, 'by address') : undefined,
    { stage: 'rate' as const },
  )
}

function readKeys(pubkeys: Iterable<string>): ReadonlySet<string> {
  const keys = [...pubkeys].map((text) => {
    const key = parseHex(text, 32)
    if (key === undefined) throw new TypeError(`a public key must be 64 hex digits, got ${show(text)}`)
    return key
  })
  return new Set(keys)
}

/** What comes from inside the relay has no address and is on no list. */
function readNetworks(networks: Iterable<string>): (address: string) => boolean {
  const list = new BlockList()
  for (const text of networks) {
    const [address = '', bits, ...rest] = text.split('/')
    const family = isIPv6(address) ? 'ipv6' : 'ipv4'
    const width = family === 'ipv6' ? 128 : 32
    const isNumber = bits === undefined || (/^[0-9]{1,3}$/.test(bits) && Number(bits) <= width)
    if (isIP(address) === 0 || !isNumber || rest.length > 0)
      throw new TypeError(`an address must be like 10.1.2.3 or 10.0.0.0/8, got ${show(text)}`)
    list.addSubnet(address, bits === undefined ? width : Number(bits), family)
  }
  return (address) => isIP(address) !== 0 && list.check(address, isIPv6(address) ? 'ipv6' : 'ipv4')
}

function show(value: unknown): string {
  return JSON.stringify(value) ?? String(value)
}
