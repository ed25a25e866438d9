/**
 * A storm of publishes, acks, nacks, lost sessions and kill -9 of the relay: every event is acked in the end, none is
 * lost, and none comes to a session that began after its ack was confirmed.
 */
import { spawn } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { writeMessage } from '@aetherkit/core'
import { seededRandom } from '@aetherkit/core/testing'
import { expect, test } from 'vitest'
import { createAgent, letter, MailboxPeer } from '../../test/mailbox-peer.js'
import { RawPeer } from '../../test/raw-peer.js'

const MAIN = fileURLToPath(new URL('../../dist/main.js', import.meta.url))
const KILLS = 6
const LETTERS = 40
const SEED = Number(process.env.AETHER_CRASH_SEED ?? Date.now() % 2 ** 31)
const random = seededRandom(SEED)
const below = (n: number) => Math.floor(random() * n)

interface Process {
  readonly port: number
  kill(): Promise<void>
}

async function startProcess(path: string, storage: string): Promise<Process> {
  const args = [MAIN, '--ws-port', '0', '--storage', storage, '--storage-path', path]
  const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'] })
  const gone = new Promise<void>((resolve) => child.once('close', () => resolve()))
  const port = await new Promise<number>((resolve, reject) => {
    let out = ''
    child.stdout.on('data', (chunk) => {
      out += chunk
      const url = /"url":"ws:\/\/127\.0\.0\.1:(\d+)"/.exec(out)
      if (url !== null) resolve(Number(url[1]))
    })
    void gone.then(() => reject(new Error('ended before it listened')))
  })
  return {
    port,
    async kill() {
      child.kill('SIGKILL')
      await gone
    },
  }
}

test.each(['lmdb', 'sqlite'])(`${KILLS} kills on %s, seed ${SEED}`, { timeout: 300_000 }, async (storage) => {
  const folder = mkdtempSync(join(tmpdir(), 'aether-mailbox-'))
  const agent = createAgent()
  /** Ids that the relay took. */
  const published = new Set<string>()
  const confirmed = new Set<string>()
  /** Acked by us: what was killed before it said so may have it on disk all the same. */
  const acked = new Set<string>()
  const idOf = new Map<bigint, string>()
  let relay: Process | undefined

  /** Reads and acks until the connection is gone, or `goOn` says no. */
  async function consume(format: 'json' | 'aether.v2', isCalm: boolean, goOn: () => boolean): Promise<void> {
    const peer = await MailboxPeer.connect(relay!, format, agent)
    const doneBefore = new Set(confirmed)
    await peer.opened('work', { maxUnacked: 1 + below(8), ackTimeoutMs: 300 })
    while (goOn()) {
      const said = await peer.hear()
      if (said.type === 'acked') for (const seq of said.seqs) confirmed.add(idOf.get(seq)!)
      if (said.type !== 'event') continue
      expect(doneBefore.has(said.id), `${said.text} came again, seed ${SEED}`).toBe(false)
      idOf.set(said.seq, said.id)
      const action = isCalm ? 0 : below(10)
      if (action < 6) {
        acked.add(said.id)
        peer.ack([said.seq])
      } else if (action < 7) peer.nack([said.seq], below(50))
      else if (action < 8) {
        peer.raw.socket.destroy()
        return
      }
    }
    await peer.raw.close()
  }
  /** Losing the relay is part of it. */
  const lossy = async (run: () => Promise<void>) => {
    try {
      await run()
    } catch (error) {
      if (!(error instanceof Error) || !/closed|ECONNREFUSED|ECONNRESET/.test(error.message)) throw error
    }
  }

  for (let round = 0; round < KILLS; round++) {
    relay = await startProcess(join(folder, 'data'), storage)
    const killAfter = 5 + below(LETTERS - 5)
    let isOver = false
    const consumers = (['json', 'aether.v2'] as const).map(async (format) => {
      while (!isOver) await lossy(() => consume(format, false, () => !isOver))
    })
    await lossy(async () => {
      const author = await RawPeer.connect(relay!.port)
      for (let i = 0; i < LETTERS; i++) {
        const event = letter(agent, `${round}.${i}`)
        const answer = await author.ask(writeMessage({ type: 'publish', event }))
        expect(answer).toMatchObject({ type: 'ack', event_id: event.id })
        published.add(event.id)
        if (i === killAfter) {
          isOver = true
          await relay!.kill()
        }
      }
    })
    await Promise.all(consumers)
  }
  relay = await startProcess(join(folder, 'data'), storage)
  // Unless it was acked before, it comes now.
  const before = new Set(acked)
  const rest = () => [...published].some((id) => !confirmed.has(id) && !before.has(id))
  if (rest()) await consume('json', true, rest)
  expect(confirmed.size).toBeGreaterThan(0)
  await relay.kill()
  rmSync(folder, { recursive: true, force: true })
})
