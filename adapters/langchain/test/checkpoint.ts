/** Relays, and savers and stores on them, that end with the test that opened them. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type Client, connect, localSigner, type Signer } from '@aetherkit/client'
import { createRelay, type Relay } from '@aetherkit/relay'
import { Embeddings } from '@langchain/core/embeddings'
import { onTestFinished } from 'vitest'
import { AetherSaver, AetherStore, type AetherStoreOptions } from '../src/checkpoint.js'

/** A place for a database, which does not exist yet. */
export function folder(): string {
  const path = mkdtempSync(join(tmpdir(), 'aether-saver-'))
  onTestFinished(() => rmSync(path, { recursive: true }))
  return join(path, 'data')
}

export async function relay(options: Parameters<typeof createRelay>[0] = {}): Promise<Relay> {
  const started = await createRelay({ port: 0, verifyWorkers: 1, ...options })
  onTestFinished(() => started.close())
  return started
}

export async function openSaver(
  url: string,
  signer: Signer = localSigner(),
): Promise<{ client: Client; saver: AetherSaver }> {
  const client = await connect(url, { signer, reconnect: { minMs: 20, maxMs: 100 } })
  onTestFinished(() => client.close())
  return { client, saver: new AetherSaver(client, { signer }) }
}

export async function openStore(
  url: string,
  options: Partial<AetherStoreOptions> & { signer?: Signer } = {},
): Promise<{ client: Client; store: AetherStore }> {
  const signer = options.signer ?? localSigner()
  const client = await connect(url, { signer })
  onTestFinished(() => client.close())
  return { client, store: new AetherStore(client, { ...options, signer }) }
}

/** Counts letters: texts of the same letters point the same way. */
export class LetterEmbeddings extends Embeddings {
  calls = 0

  constructor() {
    super({})
  }

  async embedDocuments(texts: string[]): Promise<number[][]> {
    this.calls++
    return texts.map(letters)
  }

  async embedQuery(text: string): Promise<number[]> {
    return letters(text)
  }
}

const ALPHABET = 'abcdefghijklmnopqrstuvwxyz'
const letters = (text: string): number[] =>
  [...ALPHABET].map((letter) => text.toLowerCase().split(letter).length - 1)
