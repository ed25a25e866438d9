/** What an operator may change while the relay runs; everything else is as it was at the start. */
import type { Event } from '@aetherkit/core'
import { LIMITS, type Limits } from './limits.js'
import type { AsyncPolicy } from './policy/async-policy.js'
import { type Policy, saneDefaults } from './policy.js'
import { isPastRetention, type RetentionRule, readRetention } from './retention.js'
import type { TlsCredentials } from './tls.js'

/** Each that is there replaces what was; what is absent stays. */
export interface RelayChanges {
  readonly policies?: readonly Policy[]
  /** Those that are gone answer what they were asked, and are closed. */
  readonly asyncPolicies?: readonly AsyncPolicy[]
  /** Only of {@link RELOADABLE_LIMITS}. */
  readonly limits?: Partial<Limits>
  /** `all`: of every page. Open connections stay. */
  readonly origins?: readonly string[] | 'all'
  readonly httpOrigins?: readonly string[]
  /** For the sweep that comes next, and for every publish. */
  readonly retention?: readonly RetentionRule[]
  /** `off`: for ever. */
  readonly retentionNs?: bigint | 'off'
  /** For new connections; only of a relay that was started with a certificate. */
  readonly tls?: TlsCredentials
  /** Null: from now on there is none. Whoever was let in by another one is shown out. */
  readonly adminToken?: string | null
}

/** Limits that are looked at whenever they are needed. The others are built into what is open. */
export const RELOADABLE_LIMITS = [
  'maxSubscriptions',
  'maxFilters',
  'maxFilterValues',
  'defaultLimit',
  'maxLimit',
  'maxJsonDepth',
  'maxHeaders',
  'connectionsPerIp',
  'maxBody',
  'maxBatch',
  'maxHttpSubscriptions',
  'subscriptionMs',
  'outboxBytes',
  'outboxMessages',
  'unackedPublishes',
  'maxMailboxes',
  'maxUnacked',
  'maxMailboxOpen',
  'mailboxIdleMs',
  'event',
] as const satisfies readonly (keyof Limits)[]

const RELOADABLE: ReadonlySet<string> = new Set(RELOADABLE_LIMITS)

export interface SettingsOptions {
  readonly policies?: readonly Policy[] | undefined
  readonly limits?: Partial<Limits> | undefined
  readonly origins?: readonly string[] | undefined
  readonly httpOrigins?: readonly string[] | undefined
  readonly retention?: readonly RetentionRule[] | undefined
  readonly retentionNs?: bigint | undefined
}

export class Settings {
  /** The same object for ever; its values change. */
  readonly limits: Limits
  policies: readonly Policy[]
  /** Undefined: all. */
  origins: readonly string[] | undefined
  httpOrigins: readonly string[] | undefined
  retention: readonly RetentionRule[]
  retentionNs: bigint | undefined
  readonly #now: () => bigint
  #hasAges = false

  /** @throws TypeError or RangeError for rules of retention that are none. */
  constructor(options: SettingsOptions, now: () => bigint) {
    this.limits = { ...LIMITS, ...options.limits }
    this.policies = options.policies ?? saneDefaults()
    this.origins = options.origins
    this.httpOrigins = options.httpOrigins
    this.retentionNs = options.retentionNs
    this.retention = readRetention(options.retention ?? [])
    this.#now = now
    this.#count()
  }

  /** @throws as the constructor, and RangeError for a limit that needs a restart: then nothing is changed. */
  change(changes: RelayChanges): void {
    const { policies, limits = {}, origins, httpOrigins, retention, retentionNs } = changes
    const rules = retention && readRetention(retention)
    const fixed = Object.keys(limits).find((name) => !RELOADABLE.has(name))
    if (fixed !== undefined) throw new RangeError(`limits.${fixed} cannot change while the relay runs`)
    Object.assign(this.limits, limits)
    if (policies !== undefined) this.policies = policies
    if (origins !== undefined) this.origins = origins === 'all' ? undefined : origins
    if (httpOrigins !== undefined) this.httpOrigins = httpOrigins
    if (rules !== undefined) this.retention = rules
    if (retentionNs !== undefined) this.retentionNs = retentionNs === 'off' ? undefined : retentionNs
    this.#count()
  }

  /** What a sweep takes out: the rules, and the age that holds for all. */
  get sweepRules(): readonly RetentionRule[] {
    if (this.retentionNs === undefined) return this.retention
    return [...this.retention, { kinds: [0, 0xffff], maxAgeSeconds: Number(this.retentionNs) / 1e9 }]
  }

  /** Replay goes back to here. Rules by age forward what they do not store, but bound no replay. */
  oldest(): bigint | undefined {
    if (this.retentionNs === undefined) return this.#hasAges ? 0n : undefined
    return this.#now() - this.retentionNs
  }

  /** Whether the event is forwarded, not stored (spec 2.4). */
  isPast(event: Event): boolean {
    return (
      event.createdAt < (this.oldest() ?? 0n) ||
      (this.#hasAges && isPastRetention(this.retention, event, this.#now()))
    )
  }

  #count(): void {
    this.#hasAges = this.retention.some(({ maxAgeSeconds }) => maxAgeSeconds !== undefined)
  }
}
