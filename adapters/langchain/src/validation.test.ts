/** LangGraph's own conformance suite, whole, against real relays. It takes vitest's functions from the global scope. */
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type Client, connect, localSigner, type Signer } from '@aetherkit/client'
import { createRelay, openLmdbStore, openMemoryStore, type Relay, type Store } from '@aetherkit/relay'
import { deltaChannelHistoryTests, validate } from '@langchain/langgraph-checkpoint-validation'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { AetherSaver } from './checkpoint.js'

Object.assign(globalThis, { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it })

const stores: Record<string, () => Promise<{ store: Store; remove(): Promise<void> }>> = {
  memory: async () => ({ store: openMemoryStore(), remove: async () => {} }),
  lmdb: async () => {
    const path = await mkdtemp(join(tmpdir(), 'aether-saver-'))
    return { store: await openLmdbStore(path), remove: () => rm(path, { recursive: true }) }
  },
}

for (const [name, open] of Object.entries(stores)) {
  let relay: Relay
  let remove: () => Promise<void>
  const clients = new Map<AetherSaver, Client>()

  const initializer = {
    checkpointerName: `AetherSaver on ${name}`,
    async beforeAll() {
      const opened = await open()
      remove = opened.remove
      relay = await createRelay({ port: 0, store: opened.store, verifyWorkers: 1 })
    },
    async afterAll() {
      await relay.close()
      await remove()
    },
    /** A new owner each: nothing of an earlier test is there. */
    async createCheckpointer() {
      const signer: Signer = localSigner()
      const client = await connect(relay.url, { signer })
      const saver = new AetherSaver(client, { signer })
      clients.set(saver, client)
      return saver
    },
    async destroyCheckpointer(saver: AetherSaver) {
      await clients.get(saver)?.close()
      clients.delete(saver)
    },
  }
  validate(initializer)
  // Not part of the default suite, as it is in beta upstream.
  describe(name, () => deltaChannelHistoryTests(initializer))
}
