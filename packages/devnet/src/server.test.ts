/** HTTP and websocket surface (spec solana 10.1, 14). */
import { on, once } from 'node:events'
import { createServer } from 'node:net'
import { networkInterfaces } from 'node:os'
import { Keypair } from '@solana/web3.js'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { WebSocket } from 'ws'
import { type Devnet, startDevnet } from './devnet.js'

let devnet: Devnet
beforeAll(async () => {
  devnet = await startDevnet({ slotMs: 20 })
})
afterAll(() => devnet.close())

const portOf = (url: string) => Number(new URL(url).port)
const post = (body: string) => fetch(devnet.rpcUrl, { method: 'POST', body })

/** A socket and its messages in order; none is lost when several arrive at once. */
async function open(port: number) {
  const socket = new WebSocket(`ws://127.0.0.1:${port}`)
  const messages = on(socket, 'message')
  await once(socket, 'open')
  return {
    send: (call: object) => socket.send(JSON.stringify({ jsonrpc: '2.0', ...call })),
    sendText: (text: string) => socket.send(text),
    next: async () => JSON.parse(String((await messages.next()).value[0])),
    close: () => socket.terminate(),
  }
}

describe('HTTP', () => {
  it('answers a batch in one answer, each call for itself', async () => {
    const calls = ['getHealth', 'getNonsense', 'getGenesisHash'].map((method, id) => ({
      jsonrpc: '2.0',
      id,
      method,
    }))
    const answers = await (await post(JSON.stringify(calls))).json()
    expect(answers[0]).toEqual({ jsonrpc: '2.0', id: 0, result: 'ok' })
    expect(answers[1].error.code).toBe(-32601)
    expect(answers[2].result).toBe(devnet.genesisHash)
  })

  it('answers what is not JSON with -32700, what is no call with -32600, an empty batch with -32600', async () => {
    const code = async (body: string) => (await (await post(body)).json()).error.code
    expect(await code('{"jsonrpc":')).toBe(-32700)
    expect(await code('7')).toBe(-32600)
    expect(await code('[]')).toBe(-32600)
  })

  it('does not answer notifications', async () => {
    const response = await post(JSON.stringify({ jsonrpc: '2.0', method: 'getHealth' }))
    expect(await response.text()).toBe('')
  })

  it('lets pages of every origin in', async () => {
    const preflight = await fetch(devnet.rpcUrl, {
      method: 'OPTIONS',
      headers: {
        origin: 'https://shop.example',
        'access-control-request-headers': 'content-type,solana-client',
      },
    })
    expect(preflight.status).toBe(204)
    expect(preflight.headers.get('access-control-allow-origin')).toBe('*')
    expect(preflight.headers.get('access-control-allow-headers')).toBe('content-type,solana-client')
    const response = await post(JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'getHealth' }))
    expect(response.headers.get('access-control-allow-origin')).toBe('*')
  })

  it('has GET /health, and 405 for every other GET', async () => {
    expect(await (await fetch(`${devnet.rpcUrl}/health`)).text()).toBe('ok')
    expect((await fetch(devnet.rpcUrl)).status).toBe(405)
  })

  it('refuses a body beyond 1 MiB with 413', async () => {
    expect((await post(' '.repeat((1 << 20) + 1))).status).toBe(413)
  })

  it('listens on 127.0.0.1 alone', async () => {
    const others = Object.values(networkInterfaces()).flatMap((list) => list ?? [])
    for (const { address, family } of others) {
      if (family !== 'IPv4' || address.startsWith('127.')) continue
      await expect(fetch(`http://${address}:${portOf(devnet.rpcUrl)}/health`)).rejects.toThrow()
    }
  })
})

describe('websocket', () => {
  it('is on the same port and on the port above', async () => {
    const port = portOf(devnet.rpcUrl)
    for (const at of [port, port + 1]) {
      const socket = await open(at)
      socket.send({ id: 5, method: 'slotSubscribe' })
      const { id, result } = await socket.next()
      expect(id).toBe(5)
      const { method, params } = await socket.next()
      expect(method).toBe('slotNotification')
      expect(params.subscription).toBe(result)
      expect(params.result.parent).toBe(params.result.slot - 1)
      socket.close()
    }
  })

  it('notifies once of a signature that landed before the subscription', async () => {
    const call = JSON.stringify({
      jsonrpc: '2.0',
      id: 1,
      method: 'requestAirdrop',
      params: [Keypair.generate().publicKey.toBase58(), 1e9],
    })
    const { result: signature } = await (await post(call)).json()
    devnet.advanceSlots(1)
    const socket = await open(portOf(devnet.wsUrl))
    const subscribe = { id: 2, method: 'signatureSubscribe', params: [signature] }
    socket.send(subscribe)
    const { result: subscription } = await socket.next()
    expect(await socket.next()).toMatchObject({
      method: 'signatureNotification',
      params: { subscription, result: { value: { err: null } } },
    })
    socket.send({ id: 3, method: 'signatureUnsubscribe', params: [subscription] })
    expect((await socket.next()).error.code).toBe(-32602)
    socket.close()
  })

  it('unsubscribes only what is its own', async () => {
    const port = portOf(devnet.wsUrl)
    const [mine, other] = [await open(port), await open(port)]
    const signature = `${'1'.repeat(63)}2`
    mine.send({ id: 1, method: 'signatureSubscribe', params: [signature] })
    const { result: subscription } = await mine.next()
    const unsubscribe = { id: 2, method: 'signatureUnsubscribe', params: [subscription] }
    other.send(unsubscribe)
    expect((await other.next()).error.code).toBe(-32602)
    mine.send(unsubscribe)
    expect((await mine.next()).result).toBe(true)
    mine.close()
    other.close()
  })

  it('answers nonsense with an error and lives on', async () => {
    const socket = await open(portOf(devnet.wsUrl))
    socket.sendText('{')
    expect((await socket.next()).error.code).toBe(-32700)
    socket.send({ method: 'ping' })
    socket.send({ id: 1, method: 'accountSubscribe' })
    expect((await socket.next()).error.code).toBe(-32601)
    socket.send({ id: 1, method: 'signatureSubscribe', params: ['x'] })
    expect((await socket.next()).error.code).toBe(-32602)
    socket.close()
  })
})

describe('ports', () => {
  it('are free again after close, both of them, with connections open', async () => {
    const first = await startDevnet()
    const port = portOf(first.rpcUrl)
    await open(port)
    await first.close()
    const second = await startDevnet({ port })
    expect(portOf(second.rpcUrl)).toBe(port)
    await second.close()
  })

  it('refuse with port_in_use when the port above is taken', async () => {
    const blocker = createServer()
    await new Promise<void>((resolve) => blocker.listen(0, '127.0.0.1', resolve))
    const address = blocker.address()
    const port = typeof address === 'object' && address !== null ? address.port - 1 : 0
    await expect(startDevnet({ port })).rejects.toMatchObject({ name: 'DevnetError', code: 'port_in_use' })
    await new Promise((resolve) => blocker.close(resolve))
  })
})
