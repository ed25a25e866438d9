/** The signature of `agent.request` (spec a2a 3.2): the vectors, forgeries, and the canonical form. */
import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { envelope, type Loose } from './agent.js'
import { openDesk, problem, STRANGER } from './desk.js'
import { AGENT, base58, CALLER, jcs, unbase58 } from './wallet.js'

const vectors = JSON.parse(
  readFileSync(new URL('../vectors/a2a/agent-request.json', import.meta.url), 'utf8'),
)

describe('the signature of agent.request', () => {
  test('[ar-vector] the golden vector byte for byte: bytes, hash and signature', async () => {
    const [golden] = vectors.cases
    const { signature, ...params } = JSON.parse(golden.params)
    expect(jcs(params)).toBe(golden.canonical)
    expect(Buffer.byteLength(golden.canonical)).toBe(218)
    expect(createHash('sha256').update(golden.canonical).digest('hex')).toBe(
      '9c6e50ff34ff28f47901e46c8087e57097c9c5ae62e3ac5903261ca2ab0c7872',
    )
    expect([CALLER.sign(golden.canonical), signature ?? golden.signature]).toEqual([
      golden.signature,
      golden.signature,
    ])
    const agent = await openDesk({}, { now: () => golden.now })
    const { json } = await agent.sign({ ...params, signature: golden.signature })
    expect(json.result).toMatchObject({
      status: 'success',
      data: { echo: { targetLanguage: 'fr', text: 'Hello world' } },
    })
  })

  test('[ar-vectors] the vectors hold every case that the specification lists', () => {
    const names: string[] = vectors.cases.map(({ name }: Loose) => name)
    for (const listed of [
      'flipped signature bit',
      'S + L',
      'key of 31 bytes',
      'key of 33 bytes',
      'changed to',
      'stale stamp',
      'future stamp',
      'member added after signing',
      'lone surrogate',
      'reordered keys',
      'unknown member that is signed',
      'non-ASCII keys and text',
      '-0 and exponent numbers',
    ])
      expect(names).toContain(listed)
    expect(vectors.note).toContain('shares no code with ours')
  })

  test.each(vectors.cases as Loose[])(
    '[ar-vector] over HTTP, the vector "$name" is as it says',
    async (vector) => {
      const agent = await openDesk({ addresses: vectors.addresses }, { now: () => vector.now })
      const body = `{"jsonrpc":"2.0","id":"v","method":"agent.request","params":${vector.params}}`
      const { status, json } = await agent.ask('POST', '/', { body })
      expect(status).toBe(200)
      if (vector.valid) expect(json.result?.status).toBe('success')
      else expect(json.error).toMatchObject({ code: -32600, message: 'Invalid request' })
      expect(agent.ran.length).toBe(vector.valid ? 1 : 0)
    },
  )

  const L = 2n ** 252n + 27742317777372353535851937790883648493n
  test('[ar-signature] bad, malleated, foreign, short and long signatures are INVALID_SIGNATURE', async () => {
    const agent = await openDesk()
    const params = CALLER.signed({ to: AGENT.address, action: 'echo', payload: { pay: 1 } })
    const bytes = unbase58(params.signature)
    const flipped = Uint8Array.from(bytes, (byte, at) => (at === 5 ? byte ^ 1 : byte))
    const s = BigInt(`0x${Buffer.from(bytes.subarray(32)).reverse().toString('hex')}`) + L
    const tail = Buffer.from(s.toString(16).padStart(64, '0'), 'hex').reverse()
    const malleated = Buffer.concat([bytes.subarray(0, 32), tail])
    const forgeries: object[] = [
      { signature: base58(flipped) },
      { signature: base58(malleated) },
      { signature: STRANGER.sign(jcs({ ...params, signature: undefined })) },
      { from: STRANGER.address },
      { payload: { pay: 1000 } },
      { extra: 'added after signing' },
    ]
    for (const forged of forgeries)
      expect(problem(await agent.sign({ ...params, ...forged }))).toEqual([200, -32600, 'INVALID_SIGNATURE'])
    for (const signature of [
      base58(bytes.subarray(0, 63)),
      base58(Buffer.concat([bytes, Buffer.alloc(1)])),
      '0OIl',
      '==',
    ])
      expect((await agent.sign({ ...params, signature })).json.error.code).toBe(-32600)
    expect(agent.ran).toEqual([])
    expect((await agent.sign(params)).json.result.status).toBe('success')
  })

  test('[ar-canonical] a lone surrogate is refused, nothing is normalised, -0 is 0', async () => {
    const agent = await openDesk()
    const composed = await agent.call({ payload: { é: 'caf\u00e9', e: 'cafe\u0301' } })
    expect(composed.json.result.data.echo).toEqual({ é: 'caf\u00e9', e: 'cafe\u0301' })
    const params = CALLER.signed({ to: AGENT.address, action: 'echo', payload: { n: 0 }, nonce: 'zero' })
    const negative = JSON.stringify(envelope('agent.request', params)).replace('"n":0', '"n":-0.0')
    expect((await agent.post(negative, {})).json.result.status).toBe('success')
    const lone = JSON.stringify(
      envelope('agent.request', CALLER.signed({ to: AGENT.address, action: 'echo' })),
    ).replace('"payload":{}', '"payload":{"a":"\\ud800"}')
    expect([-32600, -32700]).toContain((await agent.post(lone, {})).json.error.code)
    expect(agent.ran.length).toBe(2)
  })

  test('[ar-duplicate] duplicate keys are refused: what is verified is what is executed', async () => {
    const agent = await openDesk()
    const params = CALLER.signed({ to: AGENT.address, action: 'echo', payload: { pay: 1 } })
    const text = JSON.stringify(envelope('agent.request', params))
    for (const twice of [
      text.replace('"pay":1', '"pay":1000,"pay":1'),
      text.replace('"pay":1', '"pay":1,"pay":1000'),
      text.replace('"action":"echo"', '"action":"echo","action":"echo"'),
    ]) {
      const { json } = await agent.post(twice, {})
      expect([-32600, -32700]).toContain(json.error.code)
    }
    expect(agent.ran).toEqual([])
  })

  test('[ar-one-profile] what verifies under another profile is INVALID_SIGNATURE', async () => {
    const unsorted = {
      to: AGENT.address,
      from: CALLER.address,
      timestamp: new Date().toISOString(),
      payload: { b: 1, a: 2 },
      action: 'echo',
    }
    const params = { ...unsorted, signature: CALLER.sign(JSON.stringify(unsorted)) }
    const jcsAgent = await openDesk()
    expect(problem(await jcsAgent.sign(params))).toEqual([200, -32600, 'INVALID_SIGNATURE'])
    const ordered = await openDesk({ profile: 'json-order' })
    expect((await ordered.sign(params)).json.result.status).toBe('success')
    expect(problem(await ordered.call({ payload: { b: 1, a: 2 } }))).toEqual([
      200,
      -32600,
      'INVALID_SIGNATURE',
    ])
  })
})
