/**
 * Which IP addresses belong to the public internet (spec a2a 7.1). Everything else - this machine, private networks,
 * link-local metadata services, multicast, and IPv6 forms that carry such an IPv4 address - is refused.
 */
import { BlockList, isIP, isIPv4 } from 'node:net'

const V4 = new BlockList()
for (const [network, prefix] of [
  ['0.0.0.0', 8],
  ['10.0.0.0', 8],
  ['100.64.0.0', 10],
  ['127.0.0.0', 8],
  ['169.254.0.0', 16],
  ['172.16.0.0', 12],
  ['192.0.0.0', 24],
  ['192.0.2.0', 24],
  ['192.88.99.0', 24],
  ['192.168.0.0', 16],
  ['198.18.0.0', 15],
  ['198.51.100.0', 24],
  ['203.0.113.0', 24],
  ['224.0.0.0', 4],
  ['240.0.0.0', 4],
] as const)
  V4.addSubnet(network, prefix, 'ipv4')

/** Of IPv6 only 2000::/3 is public; these parts of it are not. */
const V6 = new BlockList()
for (const [network, prefix] of [
  ['2001::', 23],
  ['2001:db8::', 32],
  ['3fff::', 20],
] as const)
  V6.addSubnet(network, prefix, 'ipv6')

const GLOBAL_UNICAST = new BlockList()
GLOBAL_UNICAST.addSubnet('2000::', 3, 'ipv6')

const NAT64 = new BlockList()
NAT64.addSubnet('64:ff9b::', 96, 'ipv6')

/** `address` is an IPv4 or IPv6 address without brackets; a name is not public. */
export function isPublicAddress(address: string): boolean {
  if (isIPv4(address)) return !V4.check(address, 'ipv4')
  if (isIP(address) !== 6) return false
  const [bare = ''] = address.split('%', 1)
  const groups = expand(bare)
  if (groups.slice(0, 5).every((group) => group === 0) && groups[5] === 0xffff) return isPublicV4(groups, 6)
  if (groups[0] === 0x2002) return isPublicV4(groups, 1)
  if (NAT64.check(bare, 'ipv6')) return isPublicV4(groups, 6)
  return GLOBAL_UNICAST.check(bare, 'ipv6') && !V6.check(bare, 'ipv6')
}

/** The IPv4 address in two groups. */
function isPublicV4(groups: readonly number[], at: number): boolean {
  const bytes = [groups[at]!, groups[at + 1]!].flatMap((group) => [group >> 8, group & 255])
  return isPublicAddress(bytes.join('.'))
}

/** The eight groups of an IPv6 address. */
function expand(address: string): readonly number[] {
  // The URL parser writes the address canonically: no dotted tail, one `::` at most.
  const canonical = new URL(`http://[${address}]/`).hostname.slice(1, -1)
  const [head = '', tail] = canonical.split('::')
  const read = (text: string): number[] =>
    text === '' ? [] : text.split(':').map((group) => parseInt(group, 16))
  const before = read(head)
  if (tail === undefined) return before
  const after = read(tail)
  return [...before, ...Array<number>(8 - before.length - after.length).fill(0), ...after]
}
