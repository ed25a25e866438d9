import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { fromHex } from '@aetherkit/core'
import { describe, expect, test } from 'vitest'
import { openDesk } from '../../test/dialect.js'
import { signedBytes, signParams } from './profile.js'

interface Vector {
  readonly name: string
  readonly valid: boolean
  readonly now: number
  readonly params: string
  readonly canonical?: string
  readonly sha256?: string
  readonly signature?: string
  readonly code?: string
}
const file = new URL('../../../../test/vectors/a2a/agent-request.json', import.meta.url)
const vectors = JSON.parse(readFileSync(file, 'utf8')) as {
  readonly sender: { readonly seed: string; readonly address: string }
  readonly addresses: readonly string[]
  readonly cases: readonly Vector[]
}
const valid = vectors.cases.filter((vector) => vector.valid)
const invalid = vectors.cases.filter((vector) => !vector.valid)

/** The params as they travel are text: what JSON.parse makes of them is what is verified and executed. */
async function judge({ params, now }: Vector) {
  const desk = openDesk({ addresses: vectors.addresses, now: () => now })
  const { status, body } = await desk.ask(JSON.parse(params))
  return { desk, status, body }
}

describe('3.2: aether-jcs-v1 against vectors of another implementation', () => {
  test.each(valid)('$name passes', async (vector) => {
    const params = JSON.parse(vector.params)
    const bytes = signedBytes(params) ?? new Uint8Array()
    expect(Buffer.from(bytes).toString('utf8')).toBe(vector.canonical)
    expect(createHash('sha256').update(bytes).digest('hex')).toBe(vector.sha256)
    const { signature: _signature, ...unsigned } = params
    expect(signParams(unsigned, fromHex(vectors.sender.seed)).signature).toBe(vector.signature)
    const { desk, body } = await judge(vector)
    expect(body.result?.status).toBe('success')
    expect(desk.clerk.executions[0]?.data).toEqual({ action: 'translate', payload: params.payload })
  })

  test.each(invalid)('$name is refused', async (vector) => {
    const { desk, status, body } = await judge(vector)
    expect(status).toBe(200)
    expect(body.error).toMatchObject({ code: -32600, message: 'Invalid request' })
    expect(body.error.data.code ?? '').toBe(vector.code)
    expect(body.error.data.reason).not.toBe('')
    expect(desk.clerk.executions).toEqual([])
  })
})
