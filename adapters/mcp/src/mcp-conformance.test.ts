/**
 * `@modelcontextprotocol/conformance` against our HTTP server (spec frameworks 8). Every scenario of its server suite is
 * either run here or left out for a reason; a new one of the suite fails the last test until somebody decides.
 */
import { execFile } from 'node:child_process'
import { mkdtemp, rm } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest'
import { conformanceTools, serveHttp, testContext } from '../test/fixture.js'
import { mcpServer } from './index.js'

vi.setConfig({ testTimeout: 60_000 })

const APPLIES = [
  'server-initialize',
  'ping',
  'tools-list',
  'tools-call-simple-text',
  'tools-call-image',
  'tools-call-audio',
  'tools-call-embedded-resource',
  'tools-call-mixed-content',
  'tools-call-with-progress',
  'tools-call-error',
  'dns-rebinding-protection',
]

const LEFT_OUT: Readonly<Record<string, string>> = {
  'logging-set-level': 'no logging capability: logs are for standard error',
  'tools-call-with-logging': 'no logging capability',
  'tools-call-sampling': 'no tool asks for sampling',
  'tools-call-elicitation':
    'its client is of 2025 and over HTTP, where the SDK keeps no session to ask through',
  'elicitation-sep1034-defaults': 'questions have one field and no defaults',
  'elicitation-sep1330-enums': 'questions have one field and no enums',
  'json-schema-2020-12': 'wants a schema of its own, with $ref, which no definition has',
  'server-sse-polling': 'needs sessions and an event store, which the SDK does not keep here',
  'server-sse-multiple-streams': 'needs a session id, which the SDK does not give here',
  'completion-complete': 'no prompts',
  'resources-list': 'no resources',
  'resources-read-text': 'no resources',
  'resources-read-binary': 'no resources',
  'resources-templates-read': 'no resources',
  'resources-subscribe': 'no resources',
  'resources-unsubscribe': 'no resources',
  'prompts-list': 'no prompts',
  'prompts-get-simple': 'no prompts',
  'prompts-get-with-args': 'no prompts',
  'prompts-get-embedded-resource': 'no prompts',
  'prompts-get-with-image': 'no prompts',
}

const SHIM = new URL('../test/node20-fs.mjs', import.meta.url).href
const MAIN = createRequire(import.meta.url).resolve('@modelcontextprotocol/conformance/dist/index.js')
let http: Awaited<ReturnType<typeof serveHttp>>
let folder: string

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'aether-mcp-'))
  const ctx = testContext()
  http = await serveHttp(() => mcpServer(conformanceTools, ctx))
})
afterAll(async () => {
  await http?.close()
  await rm(folder, { recursive: true })
})

/** Standard output; rejects for another exit code than 0. */
async function conformance(...args: readonly string[]): Promise<string> {
  const { stdout } = await promisify(execFile)(process.execPath, ['--import', SHIM, MAIN, ...args], {
    cwd: folder,
  })
  return stdout
}

describe('the conformance suite of the protocol', () => {
  it.each(APPLIES)('%s passes', async (scenario) => {
    const out = await conformance('server', '--url', http.url.href, '--scenario', scenario)
    expect(out).toMatch(/Passed: ([1-9]\d*)\/\1, 0 failed/)
  })

  it('has no scenario that is neither run nor left out for a reason', async () => {
    const listed = (await conformance('list', '--server')).match(/^ {2}- (\S+)/gm) ?? []
    const names = listed.map((line) => line.replace('  - ', ''))
    expect(names.length).toBeGreaterThan(20)
    expect(names.toSorted()).toEqual([...APPLIES, ...Object.keys(LEFT_OUT)].toSorted())
  })
})
