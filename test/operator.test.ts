/** The session of the README's operator chapter runs as it stands, but for the ports, and ends well. */
import { execFile, spawnSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { delimiter, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { expect, test } from 'vitest'

const root = fileURLToPath(new URL('..', import.meta.url))
const session = /```sh operator session\n([\s\S]*?)```/.exec(
  readFileSync(join(root, 'README.md'), 'utf8'),
)?.[1]
const PORTS = ['9000', '7447', '8081', '8082']
const absent = ['bash', 'curl'].filter((name) => spawnSync(name, ['--version']).error !== undefined)

test.skipIf(absent.length > 0)(
  `the operator session of the README${absent.length > 0 ? `: needs ${absent.join(' and ')}` : ''}`,
  { timeout: 300_000 },
  async () => {
    const folder = mkdtempSync(join(tmpdir(), 'aether-operator-'))
    const free = await freePorts(PORTS.length)
    let script = (session ?? '').replaceAll('npx ', '')
    PORTS.forEach((port, i) => {
      script = script.replaceAll(port, String(free[i]))
    })
    const PATH = `${join(root, 'node_modules', '.bin')}${delimiter}${process.env.PATH}`
    const AETHER_RELAY = `ws://127.0.0.1:${free[0]}`
    try {
      // Also when it fails half way, no relay stays.
      const { stdout } = await promisify(execFile)(
        'bash',
        ['-euo', 'pipefail', '-c', `trap 'kill $(jobs -p) 2>/dev/null || true' EXIT\n${script}`],
        { cwd: folder, env: { ...process.env, PATH, AETHER_RELAY }, timeout: 240_000 },
      )
      expect(stdout.match(/it works/g)?.length).toBeGreaterThanOrEqual(3)
      expect(stdout.match(/"damages":\[\]/g)).toHaveLength(2)
      for (const part of ['console: 200', 'aether_events_total{', '"msg":"reloaded"', '1 duplicate'])
        expect(stdout).toContain(part)
    } finally {
      rmSync(folder, { recursive: true, force: true, maxRetries: 5 })
    }
  },
)

/** Ports that nobody had a moment ago, all different. */
async function freePorts(count: number): Promise<readonly number[]> {
  const servers = Array.from({ length: count }, () => createServer().listen(0, '127.0.0.1'))
  await Promise.all(servers.map((server) => new Promise((resolve) => server.once('listening', resolve))))
  const ports = servers.map((server) => (server.address() as { port: number }).port)
  await Promise.all(servers.map((server) => new Promise((resolve) => server.close(resolve))))
  return ports
}
