/** Websocket subscriptions: `signatureSubscribe` (one notification, then gone) and `slotSubscribe` (spec solana 10.1). */
import type { Chain } from './chain.js'
import { isObject, type Json, type JsonObject, readJson, writeJson } from './json.js'
import { configParam } from './params.js'
import { withContext } from './rpc.js'
import { invalidParams, RPC_CODES, RpcError } from './rpc-error.js'
import { signatureOf } from './transactions.js'

interface SubscriptionPeer {
  send(text: string): void
}

export interface Subscriptions {
  /** A text frame from a peer. */
  receive(peer: SubscriptionPeer, text: string): void
  /** The peer is gone. */
  forget(peer: SubscriptionPeer): void
  close(): void
}

interface Subscription {
  readonly peer: SubscriptionPeer
  /** Undefined for slots. */
  readonly signature?: string
}

export function createSubscriptions(chain: Chain): Subscriptions {
  const subscriptions = new Map<number, Subscription>()
  const timers = new Set<NodeJS.Timeout>()
  let lastId = 0
  const unwatch = chain.watch((event) => {
    if (event === 'slot') notifySlot()
    notifySignatures()
    if (event === 'landed' && chain.options.confirmDelayMs > 0) later(chain.options.confirmDelayMs)
  })

  /** Looks again when what has just landed may be seen. */
  function later(delayMs: number): void {
    const timer = setTimeout(() => {
      timers.delete(timer)
      notifySignatures()
    }, delayMs + 1)
    timers.add(timer)
  }

  function notifySlot(): void {
    const result = { parent: chain.slot - 1, root: chain.slot, slot: chain.slot }
    for (const [id, { peer, signature }] of subscriptions) {
      if (signature === undefined) peer.send(notification('slotNotification', id, result))
    }
  }

  function notifySignatures(): void {
    for (const [id, { peer, signature }] of subscriptions) {
      const landed = signature === undefined ? undefined : chain.landed(signature)
      if (landed === undefined) continue
      subscriptions.delete(id)
      peer.send(notification('signatureNotification', id, withContext(chain, { err: landed.err })))
    }
  }

  function subscribe(subscription: Subscription): number {
    subscriptions.set(++lastId, subscription)
    return lastId
  }

  function call(peer: SubscriptionPeer, method: string, params: readonly Json[]): Json {
    switch (method) {
      case 'signatureSubscribe':
        configParam(params, 1)
        return subscribe({ peer, signature: signatureOf(params[0]) })
      case 'slotSubscribe':
        return subscribe({ peer })
      case 'signatureUnsubscribe':
      case 'slotUnsubscribe': {
        const [id] = params
        if (typeof id !== 'number' || subscriptions.get(id)?.peer !== peer) {
          throw invalidParams('Invalid subscription id.')
        }
        return subscriptions.delete(id)
      }
      default:
        throw new RpcError('unknownMethod', 'Method not found')
    }
  }

  return {
    receive(peer, text) {
      const request = readRequest(text)
      if (request === undefined) {
        peer.send(failure(null, RPC_CODES.parse, 'Parse error'))
        return
      }
      const { id, method, params } = request
      // a call without an id wants no answer: clients send `ping` so
      if (id === undefined) return
      try {
        const result = call(peer, String(method), Array.isArray(params) ? params : [])
        peer.send(writeJson({ jsonrpc: '2.0', id, result }))
      } catch (error) {
        if (!(error instanceof RpcError)) throw error
        peer.send(failure(id, error.code, error.message))
      }
      // it may have landed before the subscription
      notifySignatures()
    },
    forget(peer) {
      for (const [id, subscription] of subscriptions) {
        if (subscription.peer === peer) subscriptions.delete(id)
      }
    },
    close() {
      unwatch()
      for (const timer of timers) clearTimeout(timer)
      subscriptions.clear()
    },
  }
}

function readRequest(text: string): JsonObject | undefined {
  try {
    const request = readJson(text)
    return isObject(request) ? request : undefined
  } catch {
    return undefined
  }
}

function notification(method: string, subscription: number, result: Json): string {
  return writeJson({ jsonrpc: '2.0', method, params: { result, subscription } })
}

function failure(id: Json, code: number, message: string): string {
  return writeJson({ jsonrpc: '2.0', id, error: { code, message } })
}
