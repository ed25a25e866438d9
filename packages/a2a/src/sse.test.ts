import { createServer, type IncomingMessage, request, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterEach, describe, expect, test } from 'vitest'
import { dataOf, hear, openParrot, V1 } from '../test/http.js'
import { type SseItem, type SseOptions, type SseOutcome, writeSse } from './sse.js'

const RESUME = { ...V1, 'a2a-extensions': 'https://aetherkit.dev/ext/stream-resume/v1' }
const closing: (() => unknown)[] = []
afterEach(async () => {
  for (const close of closing.splice(0)) await close()
})

interface Stream {
  readonly reader: IncomingMessage
  readonly response: ServerResponse
  readonly outcome: Promise<SseOutcome>
}

/** A stream of these items to a reader that has the response and reads nothing yet. */
async function open(items: AsyncIterable<SseItem>, options: Partial<SseOptions> = {}): Promise<Stream> {
  let written: Pick<Stream, 'response' | 'outcome'> | undefined
  const server = createServer((_request, response) => {
    const never = new AbortController().signal
    const all = { heartbeatMs: 15_000, stallMs: 30_000, shutdown: never, ...options }
    written = { response, outcome: writeSse(response, items, all) }
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  closing.push(() => {
    server.closeAllConnections()
    server.close()
  })
  const { port } = server.address() as AddressInfo
  const reader = await new Promise<IncomingMessage>((resolve, reject) => {
    const asked = request({ port, host: '127.0.0.1', agent: false }, resolve)
    asked.on('error', reject).end()
    closing.push(() => asked.destroy())
  })
  reader.on('error', () => {})
  if (written === undefined) throw new Error('no response')
  return { reader, ...written }
}

async function textOf(reader: IncomingMessage): Promise<string> {
  let text = ''
  for await (const chunk of reader.setEncoding('utf8')) text += chunk
  return text
}

describe('7.7: the writer', () => {
  test('7.7: a quiet stream has comments for a heartbeat', async () => {
    const { reader } = await open(
      (async function* () {
        await new Promise(() => {})
        yield { data: '' }
      })(),
      { heartbeatMs: 5 },
    )
    expect(reader.headers['x-accel-buffering']).toBe('no')
    expect(reader.headers['cache-control']).toContain('no-transform')
    const [chunk] = await new Promise<Buffer[]>((resolve) => reader.once('data', (data) => resolve([data])))
    expect(String(chunk)).toMatch(/^(:\n\n)+$/)
  })

  test('7.7: a paused reader has at most 1 MiB queued, and its source is not pulled', async () => {
    let pulled = 0
    const { reader, response } = await open(
      (async function* () {
        for (; pulled < 1500; pulled += 1) yield { data: 'x'.repeat(128 * 1024) }
      })(),
    )
    reader.pause()
    // The kernel's buffers fill first; then the writer waits.
    await expect.poll(() => response.writableNeedDrain).toBe(true)
    let before = -1
    const isSettled = () => {
      const same = before === pulled
      before = pulled
      return same
    }
    await expect.poll(isSettled, { interval: 100 }).toBe(true)
    expect(response.writableLength).toBeLessThanOrEqual(1024 * 1024)
    expect(pulled).toBeLessThan(200)
    const text = await textOf(reader)
    expect(text.match(/data: /g)).toHaveLength(1500)
  })

  test('[stream-stall] 7.7: a reader that stays undrained is cut, and the source is released', async () => {
    let released = false
    const { reader, outcome } = await open(
      (async function* () {
        try {
          for (;;) yield { data: 'x'.repeat(1024 * 1024) }
        } finally {
          released = true
        }
      })(),
      { stallMs: 50 },
    )
    reader.pause()
    expect(await outcome).toBe('stalled')
    await expect.poll(() => released).toBe(true)
  })

  test('7.7: a reader that leaves releases the source', async () => {
    let released = false
    const { reader, outcome } = await open(
      (async function* () {
        try {
          for (;;) {
            yield { data: '1' }
            await new Promise((resolve) => setTimeout(resolve, 1))
          }
        } finally {
          released = true
        }
      })(),
    )
    reader.destroy()
    expect(await outcome).toBe('left')
    await expect.poll(() => released).toBe(true)
  })

  test('7.7: at shutdown the stream ends and is not broken off', async () => {
    const shutdown = new AbortController()
    const { reader, outcome } = await open(
      (async function* () {
        yield { data: '1' }
        await new Promise(() => {})
      })(),
      { shutdown: shutdown.signal },
    )
    const text = textOf(reader)
    shutdown.abort()
    expect(await outcome).toBe('shutdown')
    await expect(text).resolves.toMatch(/^(data: 1\n\n)?$/)
  })

  test('2.6: an error after the first event is an event of its own', async () => {
    const { reader } = await open(
      (async function* () {
        yield { data: '1', id: 4 }
        yield { data: '{"error":1}', error: true }
      })(),
    )
    expect(await textOf(reader)).toBe('id: 4\ndata: 1\n\nevent: error\ndata: {"error":1}\n\n')
  })
})

describe('7.7: streams of an agent', () => {
  test('7.7: with the resume extension every event has its number, and Last-Event-ID replays behind it', async () => {
    const parrot = await openParrot()
    closing.push(() => parrot.agent.close())
    const ask = await parrot.rpc('SendStreamingMessage', hear('ask'), RESUME)
    expect(ask.headers['a2a-extensions']).toContain('stream-resume')
    const ids = [...ask.text.matchAll(/^id: (\d+)$/gm)].map(([, id]) => Number(id))
    const events = dataOf(ask.text).map(({ result }) => Object.values(result)[0] as { metadata: object })
    expect(ids.length).toBeGreaterThan(0)
    expect(events.map(({ metadata }) => metadata)).toEqual(
      ids.map((seq) => ({ 'https://aetherkit.dev/ext/stream-resume/v1': { seq } })),
    )
    const { task } = dataOf(ask.text)[0].result
    const path = `/tasks/${task.id}:subscribe`
    const again = await parrot.open('GET', path, { headers: { ...RESUME, 'last-event-id': String(ids[0]) } })
    const first = await new Promise<string>((resolve) =>
      again.once('data', (chunk) => resolve(String(chunk))),
    )
    again.destroy()
    expect(first).toContain(`id: ${(ids[0] ?? 0) + 1}\n`)
    expect(dataOf(first)[0]).not.toHaveProperty('task')
  })

  test('7.7: without the extension Last-Event-ID is not honoured: the first event is a snapshot', async () => {
    const parrot = await openParrot()
    closing.push(() => parrot.agent.close())
    const { id } = (await parrot.rpc('SendMessage', hear('ask'))).json.result.task
    const headers = { ...V1, 'last-event-id': '1' }
    const stream = await parrot.open('GET', `/tasks/${id}:subscribe`, { headers })
    const first = await new Promise<string>((resolve) =>
      stream.once('data', (chunk) => resolve(String(chunk))),
    )
    stream.destroy()
    expect(first).not.toMatch(/^id:/m)
    expect(dataOf(first)[0]).toHaveProperty('task')
  })

  test('6.2 no. 12: a reader that leaves does not stop its task', async () => {
    const parrot = await openParrot()
    closing.push(() => parrot.agent.close())
    const stream = await parrot.open('POST', '/message:stream', { headers: V1, body: hear('chunks 200 100') })
    const first = await new Promise<string>((resolve) =>
      stream.once('data', (chunk) => resolve(String(chunk))),
    )
    stream.destroy()
    const { id } = dataOf(first)[0].task
    await expect
      .poll(async () => (await parrot.rpc('GetTask', { id })).json.result.status.state)
      .toBe('TASK_STATE_COMPLETED')
  })

  test('7.7: close ends the streams', async () => {
    const parrot = await openParrot()
    const { id } = (await parrot.rpc('SendMessage', hear('ask'))).json.result.task
    const stream = await parrot.open('GET', `/tasks/${id}:subscribe`, { headers: V1 })
    const text = textOf(stream)
    await parrot.agent.close()
    await expect(text).resolves.toContain('TASK_STATE_INPUT_REQUIRED')
  })
})
