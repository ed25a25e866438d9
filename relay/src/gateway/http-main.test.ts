/** The HTTP gateway as an operator meets it: the flags of the binary, and the session that the README shows. */
import { execFile, spawn } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { createRelay } from '@aetherkit/relay'
import { beforeEach, expect, test } from 'vitest'
import { ask, EventStream } from '../../test/http-client.js'
import { RawPeer } from '../../test/raw-peer.js'
import { createAuthor } from '../../test/signing.js'
import { temporaryFolder } from '../../test/temporary-folder.js'

const MAIN = fileURLToPath(new URL('../../dist/main.js', import.meta.url))
const README = readFileSync(new URL('../../README.md', import.meta.url), 'utf8')

let folder: string
beforeEach(() => {
  folder = temporaryFolder('http')
})

test('--gateway http opens both ports; SIGTERM answers what is in flight, ends streams and exits with 0', async () => {
  const flags = ['--gateway', 'http', '--ws-port', '0', '--http-port', '0', '--http-ws-port', '0']
  const child = spawn(process.execPath, [MAIN, ...flags, '--storage-path', folder], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  const exit = new Promise((resolve) => child.on('exit', resolve))
  try {
    let out = ''
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      out += text
    })
    const listening = () => /"http":"http:\/\/127\.0\.0\.1:(\d+)","http_ws_port":(\d+)/.exec(out)
    await expect.poll(listening).not.toBeNull()
    const [, port = 0, wsPort = 0] = listening()?.map(Number) ?? []
    expect((await ask(port, 'GET /readyz')).json).toMatchObject({
      status: 'ok',
      free_bytes: expect.any(Number),
    })
    const peer = await RawPeer.connect(wsPort, { path: '/v1/ws' })
    await peer.ask({ type: 'subscribe', sub_id: 'a', filters: [{}] })
    await ask(port, 'POST /v1/subscriptions', { body: { filters: {}, subscription_id: 's' } })
    const stream = await EventStream.open(port, '/v1/stream?subscription_id=s')
    const answers = Array.from({ length: 20 }, () =>
      ask(port, 'POST /v1/events', { body: createAuthor().text() }),
    )
    expect((await Promise.all(answers)).every(({ status }) => status === 200)).toBe(true)
    child.kill('SIGTERM')
    for (let i = 0; i < 20; i++) expect((await stream.next())?.event).toBe('event')
    expect((await stream.nextJson('closed')).code).toBe('going_away')
    expect((await peer.closed).code).toBe(1001)
    expect(await exit).toBe(0)
  } finally {
    child.kill('SIGKILL')
  }
})

test('a gateway that does not exist ends with code 2', async () => {
  const run = promisify(execFile)(process.execPath, [MAIN, '--gateway', 'gopher'])
  await expect(run).rejects.toMatchObject({ code: 2, stderr: expect.stringContaining('gopher') })
})

test('the curl session of the README runs, and says what the README says', async () => {
  const script = /```sh curl session\n([\s\S]*?)```/.exec(README)?.[1] ?? ''
  const relay = await createRelay({ verifyWorkers: 1, http: {} })
  try {
    const { stdout } = await promisify(execFile)(
      'bash',
      ['-euc', script.replace('http://127.0.0.1:8081', relay.http?.url ?? '')],
      { cwd: folder },
    )
    for (const part of [
      '{"subscription_id":"demo","owner":"',
      '"message":"accepted","status":"stored","seq":1,"cursor":"',
      `id: ${relay.info.epoch}-1\nevent: event\ndata: {"type":"event","sub_id":"demo","event":{"event_id":"c670`,
      '{"events":[{"event_id":"c670',
      '{"results":[{"accepted":true,',
      '"status":"duplicate","seq":1,',
      '{"deleted":true,"subscription_id":"demo"}',
      'event: closed\ndata: {"type":"closed","sub_id":"demo","code":"subscription_not_found"',
    ])
      expect(stdout).toContain(part)
  } finally {
    await relay.close()
  }
})
