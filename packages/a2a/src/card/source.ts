/**
 * The card of one agent as it changes: where it is, which bindings serve it. Signed once for each state, and served in
 * its three forms.
 */
import type { AgentCard, AgentExtension, AgentInterface } from '../model.js'
import { compact } from '../read-message.js'
import { buildCard, type CardOptions, type Served } from './build.js'
import { legacyCard } from './legacy-card.js'
import { type CardAnswer, type CardRequest, type CardServing, serveCard } from './serve.js'
import { type CardSigner, signCard, signedLegacy } from './sign.js'

/** A custom binding that is served now. */
interface CardBinding {
  readonly interfaces: readonly AgentInterface[]
  readonly extensions: readonly AgentExtension[]
}

export interface CardSourceOptions {
  readonly card: CardOptions
  readonly served: Omit<Served, 'url' | 'interfaces' | 'extendedAgentCard'>
  /** An extended card is there; `always` when callers over HTTP are somebody, else it needs another binding. */
  readonly extended: 'never' | 'always' | 'with-binding'
  readonly signer: CardSigner | undefined
  readonly serving: Omit<CardServing, 'since' | 'legacy'> & { readonly legacy: boolean }
  readonly now: () => number
}

export interface CardSource {
  readonly url: string | undefined
  /** The card as it is. @throws TypeError for one without any interface */
  card(): AgentCard
  /** Capabilities, the same wherever the agent is. */
  capabilities(): AgentCard
  signed(): Promise<AgentCard>
  /** Undefined while there is no interface. */
  answer(request: CardRequest): Promise<CardAnswer | undefined>
  at(url: string): void
  /** Until the result is called. */
  bind(binding: CardBinding): () => void
}

/** @throws TypeError for a card with a fault, or a URL that is no base */
export function createCardSource(options: CardSourceOptions, initialUrl: string | undefined): CardSource {
  const { signer, serving, now, served, extended } = options
  const bindings = new Set<CardBinding>()
  const build = (at: string | undefined): AgentCard =>
    buildCard(options.card, {
      ...served,
      extendedAgentCard: extended === 'always' || (extended === 'with-binding' && bindings.size > 0),
      extensions: [...served.extensions, ...[...bindings].flatMap(({ extensions }) => extensions)],
      interfaces: [...bindings].flatMap(({ interfaces }) => interfaces),
      ...compact({ url: at }),
    })
  let url = initialUrl === undefined ? undefined : baseUrl(initialUrl)
  // A faulty card is refused here, not when somebody asks for it.
  let capabilities = build('http://localhost')
  let answers: Promise<(request: CardRequest) => CardAnswer> | undefined
  const moved = () => {
    capabilities = build('http://localhost')
    answers = undefined
  }
  const signed = async () => (signer === undefined ? build(url) : signCard(build(url), signer))
  const serve = async () => {
    const card = await signed()
    const legacy = serving.legacy ? await signedLegacy(legacyCard(card), signer) : undefined
    return serveCard(card, { ...serving, legacy, since: now() })
  }
  return {
    get url() {
      return url
    },
    card: () => build(url),
    capabilities: () => capabilities,
    signed,
    async answer(request) {
      if (url === undefined && bindings.size === 0) return undefined
      answers ??= serve()
      return (await answers)(request)
    },
    at(text) {
      url = baseUrl(text)
      moved()
    },
    bind(binding) {
      bindings.add(binding)
      moved()
      return () => {
        bindings.delete(binding)
        moved()
      }
    },
  }
}

/** Without a trailing slash. */
function baseUrl(text: string): string {
  const url = URL.canParse(text) ? new URL(text) : undefined
  const isBase = url !== undefined && /^https?:$/.test(url.protocol) && url.search === '' && url.hash === ''
  if (!isBase)
    throw new TypeError(`url must be an http or https base without query, got ${JSON.stringify(text)}`)
  return url.href.replace(/\/+$/, '')
}
