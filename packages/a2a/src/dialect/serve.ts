/**
 * The `agent.request` dialect (spec a2a 3) in front of the engine. Cheap checks first: shape, recipient, stamp, replay
 * lookup, signature; then one run for all copies of the same bytes. Inside it is an ordinary blocking SendMessage with one
 * data part `{action, payload}` of the owner `solana:<from>`.
 */
import { createHash } from 'node:crypto'
import type { DispatchReply, DispatchRequest, MethodExtension } from '../dispatch.js'
import type { CallContext, Engine } from '../engine.js'
import { A2AError } from '../errors.js'
import type { Json, JsonRecord } from '../model.js'
import { taskOf } from '../payment/hold.js'
import { PaymentRefusal } from '../payment/refusal.js'
import type { TaskStore } from '../task-store.js'
import { type ActionOptions, compileAction, type PayloadCheck } from './action.js'
import {
  type DialectFault,
  INTERNAL,
  invalidPayload,
  limited,
  malformed,
  refused,
  unknownAction,
  usedUp,
} from './fault.js'
import { type Outcome, paymentOutcome, replyOf, resultOf } from './outcome.js'
import { AGENT_REQUEST, type AgentRequest, readAgentRequest } from './params.js'
import {
  addressOf,
  DEFAULT_PROFILE,
  decodeBase58,
  type SignatureProfile,
  signedBytes,
  verifySignature,
} from './profile.js'
import { ReplayCache, type ReplayLimits } from './replay.js'
import { DEFAULT_WINDOW, isInWindow, readStamp, type StampWindow } from './stamp.js'

export interface DialectOptions {
  /** The agent's own addresses, base58: what `to` may be. The first is the one in the card. */
  readonly addresses: readonly string[]
  /** What is served, by name; absent, every action goes to the executor. */
  readonly actions?: Readonly<Record<string, ActionOptions>>
  /** `aether-jcs-v1` by default. `none` believes `from`: for development alone. */
  readonly profile?: SignatureProfile
  readonly window?: Partial<StampWindow>
  /** A copy is REPLAYED, never a retry. */
  readonly strict?: boolean
  readonly replay?: ReplayLimits
  /** Shares what was seen with other processes and with the process after a restart. */
  readonly store?: Pick<TaskStore, 'once' | 'finishOnce' | 'dropOnce'>
  /** Over Aether events: `from` may be another than the author of the event. */
  readonly delegation?: boolean
  /** Unpaid calls get HTTP 402 also when they do not ask for it: the route stands behind x402 middleware. */
  readonly http402?: boolean
  readonly now?: () => number
  readonly onError?: (error: unknown) => void
}

/** What asks for HTTP 402 (spec a2a 4.2). */
const X402_JSON = 'application/vnd.x402+json'

/** @throws TypeError for no address, one that is not base58 of 32 bytes, or a schema that is not understood */
export function createDialect(engine: Engine, options: DialectOptions): MethodExtension {
  const { addresses, actions, profile = DEFAULT_PROFILE, strict = false, now = Date.now } = options
  if (addresses.length === 0) throw new TypeError('the dialect needs at least one address of the agent')
  for (const address of addresses)
    if (decodeBase58(address, 32) === undefined) throw new TypeError(`${address} is no base58 of 32 bytes`)
  const checks =
    actions && new Map(Object.entries(actions).map(([name, action]) => [name, compileAction(action)]))
  const window = { ...DEFAULT_WINDOW, ...options.window }
  const replays = new ReplayCache<Outcome>(options.replay)
  const served: Served = { ...options, engine, checks, keepMs: window.pastMs + window.futureMs }

  const handle = async (envelope: JsonRecord, carried: DispatchRequest): Promise<Outcome> => {
    const read = readAgentRequest(envelope, { isSigned: profile !== 'none' })
    if (!read.ok) return fault(read.fault)
    const { request } = read
    const { from, to, params, timestamp, signature } = request
    if (!addresses.includes(to)) return fault(refused('WRONG_RECIPIENT'))
    if (carried.carrier === 'events' && options.delegation !== true && !isAuthor(from, carried))
      return fault(malformed('Invalid parameter: from is not the author of the event'))
    const time = now()
    const stamp = readStamp(timestamp)
    if (stamp === undefined) return fault(malformed('Invalid parameter: timestamp'))
    if (!isInWindow(stamp, time, window)) return fault(refused('TIMESTAMP_OUT_OF_WINDOW'))
    const bytes = signedBytes(params, profile)
    if (bytes === undefined) return fault(malformed('Invalid parameter: params have no canonical form'))
    const key = createHash('sha256').update(bytes).digest('hex')
    // A stranger's copy may learn here that the agent is busy, and nothing else.
    if (replays.find(from, key) === undefined && !replays.hasRoom(from, time))
      return fault(limited(served.keepMs / 1000))
    if (profile !== 'none' && !verifySignature(bytes, signature, from))
      return fault(refused('INVALID_SIGNATURE'))
    const seen = replays.find(from, key)
    if (seen !== undefined && (strict || seen.answer === undefined)) return fault(refused('REPLAYED'))
    if (seen?.answer !== undefined) return seen.answer
    const keepUntil = time + served.keepMs
    return replays.run(from, key, keepUntil, async () => {
      const answer = await runOnce(served, request, key, keepUntil, carried)
      return { answer, bytes: JSON.stringify(answer).length, keep: isFinal(answer) }
    })
  }

  return {
    methods: [AGENT_REQUEST],
    ...(profile !== 'none' && { authenticates: true }),
    async handle(envelope, carried): Promise<DispatchReply> {
      const { id } = envelope
      const answerable = typeof id === 'string' || typeof id === 'number' ? id : null
      try {
        return replyOf(await handle(envelope, carried), answerable as Json)
      } catch (error) {
        options.onError?.(error)
        return replyOf(fault(INTERNAL), answerable as Json)
      }
    },
  }
}

interface Served extends DialectOptions {
  readonly engine: Engine
  readonly checks: ReadonlyMap<string, PayloadCheck> | undefined
  readonly keepMs: number
}

/** The first copy, as far as this process knows. */
async function runOnce(
  served: Served,
  request: AgentRequest,
  key: string,
  expiresAt: number,
  carried: DispatchRequest,
): Promise<Outcome> {
  const { store, strict } = served
  if (store === undefined) return run(served, request, key, carried)
  const name = `agent.request/${request.from}/${key}`
  const record = { hash: key, taskId: '', expiresAt, owner: request.from }
  const before = await store.once(name, record)
  if (before !== undefined) {
    if (strict === true) return fault(refused('REPLAYED'))
    if (before.result !== undefined) return JSON.parse(before.result) as Outcome
    // Whoever ran it died over it. With a payment the gate knows how far it came, and settles no second time.
    if (!hasPayment(carried)) return fault(refused('REPLAYED'))
  }
  let outcome: Outcome
  try {
    outcome = await run(served, request, key, carried)
  } catch (error) {
    served.onError?.(error)
    outcome = fault(INTERNAL)
  }
  if (isFinal(outcome)) await store.finishOnce(name, { ...record, result: JSON.stringify(outcome) })
  else await store.dropOnce(name)
  return outcome
}

async function run(
  { engine, checks, http402, onError }: Served,
  { from, action, payload }: AgentRequest,
  key: string,
  carried: DispatchRequest,
): Promise<Outcome> {
  const check = checks?.get(action)
  if (checks !== undefined && check === undefined) return fault(unknownAction(action))
  const checked = check === undefined ? ({ ok: true, payload } as const) : await check(payload)
  if (!checked.ok) return fault(invalidPayload(checked.issues))
  const { header, tenant, peer } = carried
  const context: CallContext = {
    caller: { owner: `solana:${from}`, anonymous: false },
    tenant,
    version: '1.0',
    carrier: 'dialect',
    extensions: new Set(),
    activate: () => {},
    ...(header !== undefined && carried.carrier !== 'events' && { header }),
    ...(peer !== undefined && { peer }),
  }
  const message = {
    messageId: key,
    role: 'ROLE_USER',
    parts: [{ data: { action, payload: checked.payload } }],
  } as const
  try {
    return resultOf(await engine.send({ message }, context))
  } catch (error) {
    if (PaymentRefusal.is(error)) {
      const done = taskOf(error.respond)
      if (done !== undefined) return await earlier(engine, done, context)
      return paymentOutcome(
        error.respond,
        carried.carrier !== 'events' && (http402 === true || asks402(carried)),
      )
    }
    return fault(faultOf(error, onError))
  }
}

/** The result of a payment that was presented again; the task may be gone by now. */
async function earlier(engine: Engine, id: string, context: CallContext): Promise<Outcome> {
  try {
    return resultOf({ task: await engine.get({ id }, context) })
  } catch (error) {
    if (!A2AError.is(error) || error.code !== 'TASK_NOT_FOUND') throw error
    return fault(usedUp())
  }
}

function faultOf(error: unknown, onError: Served['onError']): DialectFault {
  if (A2AError.is(error)) {
    if (error.code === 'RATE_LIMITED') return limited(error.details.retryAfterSeconds ?? 1)
    if (error.code === 'INVALID_PARAMS') {
      const issues = (error.details.violations ?? []).map(({ field, description }) => ({
        message: description,
        path: [field],
      }))
      return invalidPayload(issues)
    }
  }
  onError?.(error)
  return INTERNAL
}

/** Executed, and so the answer of every copy; the others did nothing and may be asked again. */
function isFinal(outcome: Outcome): boolean {
  if (outcome.kind === 'result') return outcome.result.status === 'success'
  return outcome.kind === 'fault' && !OPEN.includes(String(outcome.fault.data?.code))
}

const OPEN = ['RATE_LIMITED', 'PAYMENT_CONFLICT', 'PAYMENT_MALFORMED', 'PAYMENT_NOT_SETTLED']

function isAuthor(from: string, { caller }: DispatchRequest): boolean {
  return caller.owner.startsWith('aether:') && addressOf(caller.owner.slice('aether:'.length)) === from
}

function asks402({ header }: DispatchRequest): boolean {
  return header?.('accept')?.includes(X402_JSON) === true
}

function hasPayment({ header }: DispatchRequest): boolean {
  return header?.('payment-signature') !== undefined || header?.('x-payment') !== undefined
}

function fault(problem: DialectFault): Outcome {
  return { kind: 'fault', fault: problem }
}
