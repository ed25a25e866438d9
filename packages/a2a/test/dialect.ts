/** An agent that takes `agent.request`, called as a carrier calls it: envelope in, envelope out. */
import { publicKeyOf } from '@aetherkit/core'
import { base58 } from '@scure/base'
import { afterEach } from 'vitest'
import { signParams } from '../src/dialect/profile.js'
import { createDialect, type DialectOptions } from '../src/dialect/serve.js'
import { writeStamp } from '../src/dialect/stamp.js'
import type { DispatchRequest } from '../src/dispatch.js'
import { createEngine, type EngineOptions } from '../src/engine/create.js'
import type { Execution, Executor } from '../src/executor.js'
import type { JsonRecord } from '../src/model.js'

export const AGENT_SEED = new Uint8Array(32).fill(7)
export const CALLER_SEED = Uint8Array.from({ length: 32 }, (_, at) => at + 1)
export const addressOf = (seed: Uint8Array): string => base58.encode(Buffer.from(publicKeyOf(seed), 'hex'))
export const AGENT = addressOf(AGENT_SEED)
export const CALLER = addressOf(CALLER_SEED)

const ends: (() => Promise<unknown>)[] = []
afterEach(async () => {
  for (const end of ends.splice(0).reverse()) await end()
})
export const atEnd = (end: () => Promise<unknown>): void => void ends.push(end)

/** Answers with what it was asked; `payload.fail` throws, `payload.gate` waits for `release`. */
class Clerk implements Executor {
  readonly executions: Execution[] = []
  release: () => void = () => {}
  readonly #gate = new Promise<void>((resolve) => {
    this.release = resolve
  })

  async execute(execution: Execution): Promise<undefined> {
    this.executions.push(execution)
    const payload = (execution.data?.payload ?? {}) as JsonRecord
    if (payload.gate === true) await this.#gate
    if (payload.fail === true) throw new Error('secret at /etc/passwd')
    execution.artifact({
      parts: [{ text: 'ignored' }, { data: { echo: payload, nth: this.executions.length } }],
    })
    return undefined
  }
}

export interface Desk {
  readonly clerk: Clerk
  readonly errors: unknown[]
  /** The whole reply to params that are signed unless they have a signature. */
  ask(
    params: JsonRecord,
    more?: Partial<DispatchRequest> & { readonly id?: unknown },
  ): ReturnType<Desk['raw']>
  raw(
    envelope: JsonRecord,
    more?: Partial<DispatchRequest>,
  ): Promise<{
    readonly status: number
    readonly headers: Readonly<Record<string, string>>
    // biome-ignore lint/suspicious/noExplicitAny: what came over the wire, looked into by the test
    readonly body: any
  }>
}

export function openDesk(
  options: Partial<DialectOptions> = {},
  engineOptions: Partial<EngineOptions> = {},
): Desk {
  const clerk = new Clerk()
  const errors: unknown[] = []
  const onError = (error: unknown) => void errors.push(error)
  const engine = createEngine({ executor: clerk, onError, ...engineOptions })
  ends.push(() => engine.close())
  const dialect = createDialect(engine, { addresses: [AGENT], onError, ...options })
  const desk: Desk = {
    clerk,
    errors,
    async raw(envelope, more = {}) {
      const reply = await dialect.handle(envelope, {
        body: JSON.stringify(envelope),
        version: undefined,
        extensions: undefined,
        caller: { owner: 'anonymous', anonymous: true },
        tenant: '',
        carrier: 'jsonrpc',
        ...more,
      })
      if (reply.kind !== 'single') throw new Error('a stream')
      const { status, headers, envelope: body } = reply
      return { status, headers, body }
    },
    ask(params, { id = 'call-1', ...more } = {}) {
      const signed = params.signature === undefined ? request(params) : params
      return desk.raw({ jsonrpc: '2.0', method: 'agent.request', id: id as string, params: signed }, more)
    },
  }
  return desk
}

let stamps = 0
/** Signed params; each call differs by its nonce. */
export function request(params: JsonRecord = {}, seed = CALLER_SEED): JsonRecord {
  stamps += 1
  const nonce = `nonce-${stamps}`
  const timestamp = writeStamp(Date.now())
  return signParams({ to: AGENT, action: 'echo', payload: {}, timestamp, nonce, ...params }, seed)
}
