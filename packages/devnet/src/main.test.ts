/** The built binary (spec solana 14). */
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest'

const MAIN = fileURLToPath(new URL('../dist/main.js', import.meta.url))
let folder: string
// processes start slowly on a busy machine
vi.setConfig({ testTimeout: 30_000, hookTimeout: 30_000 })
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'aether-devnet-'))
})
afterAll(() => rmSync(folder, { recursive: true }))

interface Run {
  readonly child: ChildProcess
  readonly out: () => string
  readonly err: () => string
  readonly status: Promise<number | null>
}

function run(args: readonly string[], env: NodeJS.ProcessEnv = {}): Run {
  const child = spawn(process.execPath, [MAIN, ...args], { env: { ...process.env, ...env } })
  let out = ''
  let err = ''
  child.stdout.on('data', (chunk) => {
    out += String(chunk)
  })
  child.stderr.on('data', (chunk) => {
    err += String(chunk)
  })
  const status = once(child, 'close').then(([code]) => code)
  return { child, out: () => out, err: () => err, status }
}

describe('aether-devnet', () => {
  it('says what it is, serves until SIGTERM, and then exits with 0', async () => {
    const file = join(folder, 'ready.json')
    const { child, out, status } = run(['--port', '0', '--slot-ms', '20', '--json', file])
    await expect.poll(out, { timeout: 20_000 }).toMatch(/^ready in \d+ ms$/m)
    expect(out()).toContain('local test chain, not Solana devnet')
    const report = JSON.parse(readFileSync(file, 'utf8'))
    expect(Object.keys(report)).toEqual([
      'rpcUrl',
      'wsUrl',
      'network',
      'genesisHash',
      'mint',
      'decimals',
      'wallets',
      'readyMs',
    ])
    expect(Object.keys(report.wallets)).toEqual(['authority', 'buyer', 'merchant', 'facilitator'])
    expect(await (await fetch(`${report.rpcUrl}/health`)).text()).toBe('ok')
    child.kill('SIGTERM')
    expect(await status).toBe(0)
  })

  it('--exec runs a command with its environment and takes its exit status', async () => {
    const script =
      "const e = process.env; fetch(e.RPC_URL + '/health').then((r) => r.text()).then((t) => { console.log([t, e.PAY_TO, e.BUYER_KEY.length > 80, e.FEE_PAYER_KEY.length > 80].join(' ')); process.exit(7) })"
    const { out, status } = run(['--port', '0', '--exec', `"${process.execPath}" -e "${script}"`])
    expect(await status).toBe(7)
    expect(out()).toContain('ok FsEViYJ6V1N1wD2RcpJmjE6q1NzoAatHdpHz8kB5GMW2 true true')
  })

  it('--exec stops with its command: exit status 0 for success', async () => {
    expect(await run(['--port', '0', '--exec', 'true']).status).toBe(0)
  })

  it('--help prints every flag and exits with 0', async () => {
    const { out, status } = run(['--help'])
    expect(await status).toBe(0)
    for (const flag of ['--port', '--slot-ms', '--json', '--exec', '--help']) expect(out()).toContain(flag)
  })

  it('refuses wrong use with one line and status 2', async () => {
    for (const args of [['--port', 'x'], ['--slot-ms', '0'], ['--nonsense'], ['surplus']]) {
      const { err, status } = run(args)
      expect(await status).toBe(2)
      expect(err()).toMatch(/^aether-devnet: .*\n$/)
    }
  })

  it('says in one line that the platform has no binary, with status 1', async () => {
    const { err, status } = run(['--port', '0'], {
      NAPI_RS_NATIVE_LIBRARY_PATH: join(folder, 'missing.node'),
    })
    expect(await status).toBe(1)
    expect(err()).toMatch(/^aether-devnet: no LiteSVM binary for .*\n$/)
  })

  it('says in one line that a port is taken, with status 1', async () => {
    const blocker = createServer()
    blocker.listen(0, '127.0.0.1')
    await once(blocker, 'listening')
    const address = blocker.address()
    const port = typeof address === 'object' && address !== null ? address.port : 0
    const { err, status } = run(['--port', String(port)])
    expect(await status).toBe(1)
    expect(err()).toMatch(/^aether-devnet: ports .* must be free, and are not\n$/)
    blocker.close()
  })
})
