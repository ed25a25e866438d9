/** An agent that takes `agent.request` (spec a2a 3), asked by literal JSON. */
import type { AgentOptions, DialectOptions } from '@aetherkit/a2a'
import { type Answer, envelope, type Loose, openAgent } from './agent.js'
import { AGENT, CALLER, walletOf } from './wallet.js'

export const STRANGER = walletOf(new Uint8Array(32).fill(3))

/** An agent with the key of the vector; actions run `payload`'s words. */
export async function openDesk(dialect: Partial<DialectOptions> = {}, options: Partial<AgentOptions> = {}) {
  const ran: Loose[] = []
  const gates: (() => void)[] = []
  const agent = await openAgent({
    key: AGENT.seed,
    dialect,
    executor: {
      async execute({ data, artifact, signal }) {
        const payload = data?.payload as Loose
        ran.push(data)
        if (payload?.fail === true) throw new Error('secret at /etc/passwd')
        if (payload?.gate === true)
          await new Promise<void>((resolve) => {
            gates.push(resolve)
            signal.addEventListener('abort', () => resolve())
          })
        artifact({ parts: [{ text: 'beside' }] })
        artifact({ parts: [{ data: { echo: payload ?? null, nth: ran.length } }] })
      },
    },
    ...options,
  })
  const post = (params: unknown, id: unknown = 'a', headers: Record<string, string> = {}) =>
    agent.post(envelope('agent.request', params, id), headers)
  const ask = (more: object = {}, id?: unknown, wallet = CALLER) =>
    post(wallet.signed({ to: AGENT.address, action: 'echo', nonce: crypto.randomUUID(), ...more }), id)
  return { ...agent, ran, sign: post, call: ask, open: () => gates.splice(0).forEach((go) => void go()) }
}
/** HTTP status, code, and what it was. */
export const problem = ({ status, json }: Answer) => [
  status,
  json.error?.code,
  json.error?.data?.code ?? json.error?.data?.reason,
]
