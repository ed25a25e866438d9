/** An onlooker: a client that sees what anybody sees of the relay, and prints it. Sealed calls stay sealed. */
import { A2A_KIND } from '@aetherkit/a2a'
import { type Client, STATE_KIND } from '@aetherkit/client'
import { tagValue, type VerifiedEvent } from '@aetherkit/core'

const started = performance.now()
const names = new Map<string, string>()
const seen: VerifiedEvent[] = []

function nameOf(publicKey: string | undefined): string {
  return publicKey === undefined ? 'everybody' : (names.get(publicKey) ?? publicKey.slice(0, 8))
}

export function print(text: string): void {
  console.log(`${(performance.now() - started).toFixed(0).padStart(6)} ms  ${text}`)
}

/** Prints every event as it arrives; only verified events reach this loop. */
export async function watch(
  client: Client,
): Promise<{ seen: readonly VerifiedEvent[]; has(id: string): Promise<void> }> {
  const subscription = client.subscribe({})
  const waiting = new Map<string, () => void>()
  await subscription.stored
  void (async () => {
    for await (const event of subscription) {
      seen.push(event)
      if (event.kind === 0) names.set(event.pubkey, JSON.parse(event.text).name)
      print(
        `${nameOf(event.pubkey).padEnd(10)} -> ${nameOf(tagValue(event, 'p')).padEnd(10)}  ${event.id.slice(0, 8)} \u2713  ${describe(event)}`,
      )
      waiting.get(event.id)?.()
    }
  })()
  const has = (id: string) =>
    new Promise<void>((resolve) => {
      if (seen.some((event) => event.id === id)) resolve()
      else waiting.set(id, resolve)
    })
  return { seen, has }
}

function describe(event: VerifiedEvent): string {
  switch (event.kind) {
    case 0:
      return `is ${event.text}`.slice(0, 100)
    case 10002:
      return `offers ${event.tags.flatMap(([key, value]) => (key === 'c' ? [value] : [])).join(', ')}`
    case 1:
      return `says "${event.text}"`
    case A2A_KIND:
      return `sealed A2A frame, ${event.content.length} bytes`
    case STATE_KIND:
      return `sealed state, ${event.content.length} bytes`
    default:
      return `kind ${event.kind}, ${event.content.length} bytes`
  }
}
