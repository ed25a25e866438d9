/**
 * A full disk (spec 3.2 `storage_full`): errors instead of acks on every surface, reads and ephemeral events go on, and
 * so does storing when there is room again, without a restart. A small tmpfs where it may be mounted, and writes that
 * are refused with ENOSPC.
 */
import { execFileSync } from 'node:child_process'
import { mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { createClock, type Event, generateSecretKey, isJsonObject, signEvent } from '@aetherkit/core'
import { ask } from '../../relay/test/http-client.js'
import type { Case, Row } from './case.js'
import { count } from './figures.js'
import {
  httpPublisher,
  nativePublisher,
  nostrPublisher,
  offer,
  type Publisher,
  type Verdict,
} from './publishers.js'
import { inWorkplace, type StartedRelay, type Workplace } from './workplace.js'

const MOUNT_BYTES = { full: 96 << 20, short: 20 << 20 } as const
/** Of the first refusal on. */
const REFUSALS = 150
const BATCH = 16
const CONTENT = 'x'.repeat(16_000)
const [REGULAR, EPHEMERAL] = [1, 20_001]
/** What a relay says when the disk is full. */
const FULL = 'storage_full'

export const fullDisk: Case = {
  name: 'full-disk',
  async run(scale) {
    const rows: Row[] = []
    for (const storage of ['lmdb', 'sqlite'] as const)
      rows.push(...(await inWorkplace((place) => onSmallDisk(place, storage, MOUNT_BYTES[scale]))))
    return [...rows, ...(await inWorkplace(withRefusedWrites))]
  },
}

async function onSmallDisk(
  place: Workplace,
  storage: 'lmdb' | 'sqlite',
  bytes: number,
): Promise<readonly Row[]> {
  const done = `${storage} on a tmpfs of ${bytes >> 20} MiB that fills up`
  const mount = mountTmpfs(place, bytes)
  if (mount === undefined) return [{ done, figure: 'skipped: only root may mount', must: '-', isHeld: true }]
  const ballast = join(mount, 'ballast')
  writeFileSync(ballast, Buffer.alloc(bytes / 2))
  const relay = await place.relay({ storage, path: join(mount, 'data') })
  return [
    ...(await fillAndFree(relay, done, { before: [], free: async () => rmSync(ballast) })),
    await verified(place, relay, storage),
  ]
}

async function withRefusedWrites(place: Workplace): Promise<readonly Row[]> {
  const relay = await place.relay()
  const before = await withPublishers(relay, (publishers) => publishAll(publishers, () => sign(), 100))
  await relay.full(true)
  const done = 'lmdb whose writes are refused with ENOSPC'
  return [
    ...(await fillAndFree(relay, done, { before: before.taken, free: () => relay.full(false) })),
    await verified(place, relay, 'lmdb'),
  ]
}

/** Publishes until the disk is full and beyond, looks at what goes on, makes room, and publishes again. */
async function fillAndFree(
  relay: StartedRelay,
  done: string,
  { before, free }: { readonly before: readonly Settled[]; free(): Promise<void> },
): Promise<readonly Row[]> {
  return withPublishers(relay, async (publishers) => {
    const { taken: during, refused } = await publishAll(publishers, () => sign(), Number.POSITIVE_INFINITY)
    const taken = [...before, ...during]
    const codes = new Map<string, Set<string>>()
    for (const { code = '', surface } of refused) codes.set(code, (codes.get(code) ?? new Set()).add(surface))
    const missing = await missingOf(relay, taken)
    const wrong = await missingOf(relay, refused).then((absent) => refused.length - absent.length)
    const ephemeral = await publishAll(publishers, () => sign(EPHEMERAL), 1)
    await free()
    const tries = await publishUntilTaken(publishers)
    const late = await missingOf(relay, tries.taken)
    const isOneCode = codes.size === 1 && codes.get(FULL)?.size === publishers.length
    const said = [...codes].map(([code, surfaces]) => `${code} on ${surfaces.size} surfaces`).join(', ')
    return [
      {
        done,
        figure: `${count(taken.length)} acked, then ${said}`,
        must: `${FULL} on 3`,
        isHeld: isOneCode,
      },
      {
        done: '  reads while it is full',
        figure: `${missing.length} acked missing, ${wrong} refused there, ${ephemeral.taken.length} ephemeral taken`,
        must: '0, 0, more than 0',
        isHeld: missing.length === 0 && wrong === 0 && ephemeral.taken.length > 0,
      },
      {
        done: '  with room again, same process',
        figure: `stored on ${tries.surfaces.size} of 3 surfaces, ${late.length} missing`,
        must: '3 surfaces, 0',
        isHeld: tries.surfaces.size === 3 && late.length === 0,
      },
    ]
  })
}

async function verified(place: Workplace, relay: StartedRelay, storage: string): Promise<Row> {
  await relay.end()
  const { code, output } = await place.run('verify-store', '--storage', storage, '--storage-path', relay.path)
  const damages = code === 0 ? 'nothing damaged' : output.trim().slice(0, 60)
  return { done: '  verify-store after it', figure: damages, must: 'nothing', isHeld: code === 0 }
}

interface Settled extends Verdict {
  readonly surface: string
}

/** Batches in turn on every surface, until `most` are taken or {@link REFUSALS} are refused. */
async function publishAll(
  publishers: readonly Publisher[],
  next: () => Event,
  most: number,
): Promise<{ readonly taken: readonly Settled[]; readonly refused: readonly Settled[] }> {
  const [taken, refused]: [Settled[], Settled[]] = [[], []]
  while (taken.length < most && refused.length < REFUSALS) {
    const rounds = publishers.map(async (publisher) => {
      const verdicts = await publisher.publish(Array.from({ length: BATCH }, () => offer(next())))
      for (const verdict of verdicts)
        (verdict.isTaken ? taken : refused).push({ ...verdict, surface: publisher.surface })
    })
    await Promise.all(rounds)
  }
  return { taken, refused }
}

/** A store may need a moment to see that there is room. */
async function publishUntilTaken(publishers: readonly Publisher[]) {
  const taken: Verdict[] = []
  const surfaces = new Set<string>()
  const end = performance.now() + 60_000
  for (const publisher of publishers)
    while (!surfaces.has(publisher.surface) && performance.now() < end) {
      const [verdict] = await publisher.publish([offer(sign())])
      if (verdict?.isTaken !== true) {
        await new Promise((resolve) => setTimeout(resolve, verdict?.retryAfterMs ?? 200))
        continue
      }
      taken.push(verdict)
      surfaces.add(publisher.surface)
    }
  return { taken, surfaces }
}

/** Those that a query does not find. */
async function missingOf(relay: StartedRelay, verdicts: readonly Verdict[]): Promise<readonly string[]> {
  const ids = verdicts.map(({ id }) => id)
  const there = new Set<unknown>()
  for (let at = 0; at < ids.length; at += 500) {
    const body = { filters: { ids: ids.slice(at, at + 500), limit: 500 } }
    const { json } = await ask(relay.ports.http, 'POST /v1/query', { body })
    if (!Array.isArray(json.events)) throw new Error(`no query: ${JSON.stringify(json)}`)
    for (const event of json.events) there.add(isJsonObject(event) ? event.event_id : undefined)
  }
  return ids.filter((id) => !there.has(id))
}

async function withPublishers<T>(
  relay: StartedRelay,
  use: (publishers: readonly Publisher[]) => Promise<T>,
): Promise<T> {
  const publishers = [await nativePublisher(relay), httpPublisher(relay, true), await nostrPublisher(relay)]
  try {
    return await use(publishers)
  } finally {
    for (const publisher of publishers) publisher.close()
  }
}

/** Undefined where that is not permitted. */
function mountTmpfs(place: Workplace, bytes: number): string | undefined {
  const mount = join(place.folder(), 'mount')
  mkdirSync(mount)
  try {
    execFileSync('mount', ['-t', 'tmpfs', '-o', `size=${bytes}`, 'tmpfs', mount], { stdio: 'ignore' })
  } catch {
    return undefined
  }
  place.onLeave(() => execFileSync('umount', ['-l', mount]))
  return mount
}

const key = generateSecretKey()
const clock = createClock()

function sign(kind = REGULAR): Event {
  return signEvent({ kind, content: CONTENT, createdAt: clock() }, key)
}
