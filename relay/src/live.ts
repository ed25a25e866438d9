/** Live events to their subscribers (spec 7.1): the forms are made once, and nobody is sent what it may not read. */
import type { Access } from './access.js'
import type { RelayEvent } from './bus.js'
import { Delivery } from './deliver.js'
import type { SubscriptionIndex } from './match.js'
import type { StoredEvent } from './store/store.js'
import type { Subscription } from './subscriptions.js'

export interface LiveOptions {
  readonly index: SubscriptionIndex<Subscription>
  readonly access: Access
  observe(event: RelayEvent): void
}

/** To every live subscription that wants it. */
export function deliverLive(stored: StoredEvent, { index, access, observe }: LiveOptions): void {
  const groups = index.match(stored.event)
  if (groups.length === 0) return
  const isGated = access.isGated(stored.event)
  const delivery = new Delivery(stored, false)
  for (const group of groups) {
    for (const subscription of group) {
      const { subscriber } = subscription
      if (!subscription.live || (isGated && !access.mayRead(stored.event, subscriber.peer))) continue
      try {
        subscriber.deliver(subscription, delivery)
      } catch (error) {
        observe({ type: 'fault', error })
        subscriber.cut()
      }
    }
  }
}
