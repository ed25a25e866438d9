import { type ChildProcess, spawn } from 'node:child_process'
import { existsSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createClient } from 'redis'
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest'
import { ledgerContract } from './contract-suite.js'
import { redisStore } from './redis.js'

vi.setConfig({ testTimeout: 30_000, hookTimeout: 30_000 })

const SERVER = '/usr/bin/redis-server'
const installed = existsSync(SERVER)

describe.skipIf(!installed)(
  installed ? 'a real Redis' : `a real Redis (skipped: ${SERVER} is not installed)`,
  () => {
    const directory = mkdtempSync(join(tmpdir(), 'aether-redis-'))
    let server: ChildProcess
    const path = join(directory, 'socket')
    const clients: { close(): Promise<unknown> }[] = []

    const connect = async () => {
      const client = createClient({ socket: { path, reconnectStrategy: 20 } })
      client.on('error', () => {})
      await client.connect()
      clients.push(client)
      return client
    }

    beforeAll(async () => {
      const options = ['--port', '0', '--unixsocket', path, '--save', '', '--dir', directory]
      server = spawn(SERVER, options, { stdio: 'ignore' })
      await connect()
    })
    afterAll(async () => {
      for (const client of clients) await client.close()
      server.kill()
      rmSync(directory, { recursive: true, force: true })
    })

    let spaces = 0
    ledgerContract('Redis, node-redis', {
      test,
      open: async () => {
        const prefix = `test-${++spaces}:`
        return {
          store: redisStore(await connect(), { prefix }),
          again: redisStore(await connect(), { prefix }),
        }
      },
    })

    test('a client with the shape of ioredis fits as well', async () => {
      const client = await connect()
      const call = (command: string, ...args: string[]) => client.sendCommand([command, ...args])
      const store = redisStore({ call }, { prefix: 'io[*]:' })
      expect(await store.swap('a', undefined, '1', 60_000)).toBe(true)
      expect(await store.swap('a', undefined, '2', 60_000)).toBe(false)
      expect(await store.swap('a', '1', '2', 60_000)).toBe(true)
      expect(await store.swap('a', '1', undefined, 0)).toBe(false)
      expect(await store.get('a')).toBe('2')
      expect(await store.keys('')).toEqual(['a'])
      expect(await store.swap('a', '2', undefined, 0)).toBe(true)
      expect(await store.get('a')).toBeUndefined()
    })
  },
)
