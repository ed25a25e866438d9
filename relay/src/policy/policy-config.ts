/** Policies as an operator writes them: the section `policies` of the configuration file, and the flags for the common ones. */
import { isEphemeral } from '@aetherkit/core'
import type { Section } from '../config-section.js'
import {
  allowKinds,
  blockKinds,
  maxAge,
  maxFutureSkew,
  type Policy,
  proofOfWork,
  rateLimit,
  saneDefaults,
} from '../policy.js'
import { allowAddresses, allowPubkeys, blockAddresses, blockPubkeys } from './lists.js'
import type { PluginOptions } from './plugin.js'
import { blockTags, maxContent, maxTags, requireTags } from './shape.js'
import { adaptiveWork } from './work.js'

export interface PolicyConfig {
  /** Makes the list anew, with empty buckets. */
  policies(): readonly Policy[]
  readonly plugin: PluginOptions | undefined
}

const NS = 1_000_000_000n
const MAX_SECONDS = 1e10
const RATES = ['ip', 'connection', 'pubkey', 'kind'] as const

/** Everything is optional; the time window of the defaults holds unless it says otherwise. @throws FlagError */
export function readPolicies(section: Section): PolicyConfig {
  const makers = [
    readWindow(section),
    ...readLists(section),
    ...readShapes(section),
    readWork(section),
    readRates(section),
  ]
  const plugin = readPlugin(section.section('plugin'))
  section.end()
  const policies = () => makers.flatMap((make) => [...make()])
  // Whatever a factory throws is about a value of the file, and has to come before anything is open.
  section.guard('policies', policies)
  return { policies, plugin }
}

type Maker = () => readonly Policy[]

function readWindow(section: Section): Maker {
  const future = section.integer('maxFutureSeconds', 0, MAX_SECONDS)
  const age = section.integer('maxAgeSeconds', 1, MAX_SECONDS)
  const ephemeral = section.integer('maxEphemeralAgeSeconds', 1, MAX_SECONDS)
  return () => {
    const [defaultFuture, defaultAge] = saneDefaults()
    return [
      future === undefined ? defaultFuture : maxFutureSkew(BigInt(future) * NS),
      ephemeral === undefined ? defaultAge : maxAge(BigInt(ephemeral) * NS, isEphemeral),
      age === undefined ? undefined : maxAge(BigInt(age) * NS),
    ].filter((policy) => policy !== undefined)
  }
}

function readLists(section: Section): readonly Maker[] {
  const make = <T>(key: string, list: readonly T[] | undefined, factory: (list: readonly T[]) => Policy) => {
    if (list === undefined) return () => []
    section.guard(key, () => factory(list))
    return () => [factory(list)]
  }
  return [
    make('allowKinds', section.kinds('allowKinds'), allowKinds),
    make('blockKinds', section.kinds('blockKinds'), blockKinds),
    make('allowPubkeys', section.texts('allowPubkeys'), allowPubkeys),
    make('blockPubkeys', section.texts('blockPubkeys'), blockPubkeys),
    make('allowAddresses', section.texts('allowAddresses'), allowAddresses),
    make('blockAddresses', section.texts('blockAddresses'), blockAddresses),
  ]
}

function readShapes(section: Section): readonly Maker[] {
  return section.sections('shapes').map((shape) => {
    const kinds = shape.kinds('kinds')
    const content = shape.integer('maxContent', 0, 2 ** 40)
    const tags = shape.integer('maxTags', 0, 0xffff)
    const required = shape.texts('requireTags')
    const blocked = shape.texts('blockTags')
    shape.end()
    return () => [
      ...(content === undefined ? [] : [maxContent(content, kinds)]),
      ...(tags === undefined ? [] : [maxTags(tags, kinds)]),
      ...(required === undefined ? [] : [requireTags(required, kinds)]),
      ...(blocked === undefined ? [] : [blockTags(blocked, kinds)]),
    ]
  })
}

function readWork(section: Section): Maker {
  const work = section.section('work')
  if (work === undefined) return () => []
  const bits = work.integer('bits', 0, 256) ?? 0
  const maxBits = work.integer('maxBits', bits, 256)
  const eventsPerSecond = work.positive('eventsPerSecond')
  work.end()
  if (maxBits === undefined && eventsPerSecond === undefined) return () => [proofOfWork(bits)]
  return () => adaptiveWork({ bits, maxBits: maxBits ?? bits, eventsPerSecond: eventsPerSecond ?? 1000 })
}

function readRates(section: Section): Maker {
  const rates = section.sections('rates').map((rate) => {
    const by = rate.choice('by', RATES) ?? 'pubkey'
    const perSecond = rate.positive('perSecond') ?? 1
    const capacity = rate.integer('capacity', 1, 1e9) ?? Math.max(1, Math.ceil(perSecond))
    const maxBuckets = rate.integer('maxBuckets', 1, 1e8)
    const kinds = rate.kinds('kinds')
    rate.end()
    return () =>
      rateLimit(by, { capacity, perSecond, ...(maxBuckets !== undefined && { maxBuckets }) }, kinds)
  })
  return () => rates.map((make) => make())
}

function readPlugin(section: Section | undefined): PluginOptions | undefined {
  if (section === undefined) return undefined
  const [file = '', ...args] = section.texts('command') ?? []
  const timeoutMs = section.integer('timeoutMs', 1, 600_000)
  const onFailure = section.choice('onFailure', ['reject', 'accept'])
  const maxQueue = section.integer('maxQueue', 1, 1e6)
  section.end()
  return {
    command: section.guard('command', () => {
      if (file === '') throw new TypeError('must name a program')
      return [file, ...args] as const
    }),
    ...(timeoutMs !== undefined && { timeoutMs }),
    ...(onFailure !== undefined && { onFailure }),
    ...(maxQueue !== undefined && { maxQueue }),
  }
}
