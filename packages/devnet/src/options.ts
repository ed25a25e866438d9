/** What may be changed while the chain runs: its own options and the fault switches, by one flat set of names. */
import { CHAIN_DEFAULTS, type Chain, type ChainOptions } from './chain.js'
import { FAULT_DEFAULTS, type FaultOptions, type Faults } from './faults.js'

export type DevnetOptions = ChainOptions & FaultOptions

/** The longest a timer can wait; beyond, it would fire at once. */
const MAX_MS = 2 ** 31 - 1

/** Members that are undefined change nothing. @throws RangeError naming what is unknown or out of range; then nothing is changed */
export function applyOptions(options: object, { chain, faults }: { chain: Chain; faults: Faults }): void {
  const read = Object.entries(options)
    .filter(([, value]) => value !== undefined)
    .map(([name, value]) => [name, optionOf(name, value)] as const)
  const pick = (defaults: object) =>
    Object.fromEntries(read.filter(([name]) => Object.hasOwn(defaults, name)))
  chain.setOptions(pick(CHAIN_DEFAULTS))
  faults.setOptions(pick(FAULT_DEFAULTS))
}

function optionOf(name: string, value: unknown): unknown {
  switch (name) {
    case 'landing':
      if (value === 'next-slot' || value === 'immediate') return value
      throw new RangeError(`landing: next-slot or immediate expected, got ${String(value)}`)
    case 'delayMethods':
      if (Array.isArray(value) && value.every((method) => typeof method === 'string')) return [...value]
      throw new RangeError('delayMethods: a list of method names expected')
    case 'slotMs':
    case 'validBlocks':
      return count(name, value, 1)
    case 'confirmDelayMs':
    case 'delayMs':
    case 'dropSends':
    case 'failSends':
      return count(name, value, 0)
    default:
      throw new RangeError(`unknown option ${name}`)
  }
}

function count(name: string, value: unknown, least: number): number {
  if (typeof value === 'number' && Number.isSafeInteger(value) && value >= least && value <= MAX_MS)
    return value
  throw new RangeError(`${name}: an integer from ${least} to ${MAX_MS} expected, got ${String(value)}`)
}
