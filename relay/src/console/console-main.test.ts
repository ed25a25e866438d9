/** The console as an operator starts it: the token comes from a file, never from an argument. */
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { ask } from '../../test/http-client.js'
import { RelayProcess } from '../../test/relay-process.js'
import { temporaryFolder } from '../../test/temporary-folder.js'

const TOKEN = 'correct-horse-battery'
const FLAGS = ['--gateway', 'http', '--ws-port', '0', '--http-port', '0', '--http-ws-port', '0']

let folder: string
let file: string
let relay: RelayProcess | undefined
beforeEach(() => {
  folder = temporaryFolder('console')
  file = join(folder, 'admin.token')
})
afterEach(async () => {
  relay?.child.kill('SIGKILL')
  await relay?.exit
})

const start = (...flags: readonly string[]) =>
  new RelayProcess(folder, [...FLAGS, '--storage', 'memory', ...flags], {
    AETHER_RELAY_HTTP_ADMIN_TOKEN_FILE: file,
  })

test('the first line of the file is the token, and no log line holds it', async () => {
  writeFileSync(file, `${TOKEN}\n`, { mode: 0o600 })
  relay = start()
  const { http } = await relay.line('listening')
  const port = Number(new URL(String(http)).port)
  const answer = await ask(port, 'GET /v1/console', { headers: { authorization: `Bearer ${TOKEN}` } })
  expect(answer.status).toBe(200)
  expect((await ask(port, 'GET /v1/console')).json.code).toBe('auth_required')
  expect(relay.out + relay.err).not.toContain(TOKEN)
})

test('a file that is missing or holds no token ends the start with exit code 2, and is named', async () => {
  relay = start()
  expect(await relay.exit).toBe(2)
  expect(relay.err).toContain(file)
  writeFileSync(file, 'too-short\n')
  relay = start()
  expect(await relay.exit).toBe(2)
  expect(relay.err).toContain(`${file}: the admin token must be 16 to 256`)
  expect(relay.err).not.toContain('too-short')
})

test('SIGHUP reads the token again: the new one opens the console, the old one no longer does', async () => {
  writeFileSync(file, `${TOKEN}\n`, { mode: 0o600 })
  relay = start()
  const port = await relay.httpPort()
  const status = async (token: string) =>
    (await ask(port, 'GET /v1/console', { headers: { authorization: `Bearer ${token}` } })).status
  expect(await status(TOKEN)).toBe(200)
  const NEW = 'staple-battery-horse'
  writeFileSync(file, `${NEW}\n`)
  relay.child.kill('SIGHUP')
  expect(await relay.line('reloaded')).toMatchObject({ admin_token: 'replaced', needs_restart: [] })
  expect([await status(TOKEN), await status(NEW)]).toEqual([401, 200])
  writeFileSync(file, 'short\n')
  relay.child.kill('SIGHUP')
  await relay.line('not reloaded')
  expect(await status(NEW)).toBe(200)
  expect(relay.out + relay.err).not.toMatch(new RegExp(`${TOKEN}|${NEW}`))
})

test('/metrics asks for the token where there is one', async () => {
  writeFileSync(file, `${TOKEN}\n`, { mode: 0o600 })
  relay = start()
  const port = await relay.httpPort()
  expect((await ask(port, 'GET /metrics')).status).toBe(401)
  const headers = { authorization: `Bearer ${TOKEN}` }
  expect((await ask(port, 'GET /metrics', { headers })).text).toContain(
    'aether_connections{surface="native"} 0',
  )
})
