/**
 * One scenario over JSON-RPC, REST and Aether events, and in 0.3 over JSON-RPC and REST: the same answers (spec a2a 1,
 * 5, F1). Ids and times are made equal, nothing else.
 */
import { type AgentOptions, createGuard, type PushDelivery } from '@aetherkit/a2a'
import { describe, expect, test } from 'vitest'
import { CARD, type Caller, type Loose, openAgent } from './agent.js'
import { openAir } from './air.js'
import { metadataOf, submitted, useMarket } from './market.js'
import { AGENT } from './wallet.js'

const push: PushDelivery = { async check() {}, prepare: () => undefined, send() {}, async close() {} }
const market = useMarket()

/** One operation: the result, the events of a stream, or the error. */
type Speak = (method: string, params?: Loose) => Promise<Loose>

/** REST of an operation of 1.0. */
function route(method: string, { id, taskId, ...rest }: Loose = {}): [string, string, unknown?] {
  const query = new URLSearchParams(rest).toString()
  const configs = `/tasks/${taskId}/pushNotificationConfigs`
  const routes: Record<string, [string, string, unknown?]> = {
    SendMessage: ['POST', '/message:send', rest],
    SendStreamingMessage: ['POST', '/message:stream', rest],
    GetTask: ['GET', `/tasks/${id}?${query}`],
    ListTasks: ['GET', `/tasks?${query}`],
    CancelTask: ['POST', `/tasks/${id}:cancel`, rest],
    SubscribeToTask: ['GET', `/tasks/${id}:subscribe`],
    CreateTaskPushNotificationConfig: ['POST', configs, { id, ...rest }],
    GetTaskPushNotificationConfig: ['GET', `${configs}/${id}`],
    ListTaskPushNotificationConfigs: ['GET', `${configs}?${query}`],
    DeleteTaskPushNotificationConfig: ['DELETE', `${configs}/${id}`],
    GetExtendedAgentCard: ['GET', '/extendedAgentCard'],
  }
  const found = routes[method]
  if (found === undefined) throw new Error(`no route for ${method}`)
  return found
}

const isStream = (method: string) => method === 'SendStreamingMessage' || method === 'SubscribeToTask'

const overRpc =
  (caller: Caller): Speak =>
  async (method, params) => {
    const stream = await caller.stream(method, params)
    if (isStream(method) && stream.headers['content-type'] === 'text/event-stream')
      return (await stream.rest()).map(({ data }) => data.result)
    let text = ''
    for await (const chunk of stream.response) text += chunk
    const { result, error } = JSON.parse(text)
    return error === undefined ? result : { error: { message: error.message, details: error.data } }
  }

const overRest =
  (caller: Caller): Speak =>
  async (method, params) => {
    const [verb, path, body] = route(method, params)
    const stream = await caller.restStream(verb, path, body)
    if (isStream(method) && stream.headers['content-type'] === 'text/event-stream')
      return (await stream.rest()).map(({ data }) => data)
    let text = ''
    for await (const chunk of stream.response) text += chunk
    if (text === '') return null
    const { error, ...result } = JSON.parse(text)
    return error === undefined ? result : { error: { message: error.message, details: error.details } }
  }

const overEvents =
  (peer: Awaited<ReturnType<Awaited<ReturnType<typeof openAir>>['peer']>>): Speak =>
  async (method, params) => {
    const bodies = isStream(method) ? await peer.stream(method, params) : [await peer.call(method, params)]
    const [{ error, result }] = bodies
    if (error !== undefined) return { error: { message: error.message, details: error.data } }
    return isStream(method) ? bodies.map((body) => body.result) : result
  }

/** The nth id and the nth name of anything that was made there, times without value. */
function normalised(transcript: Loose[]): Loose {
  const names = new Map<string, string>()
  const text = JSON.stringify(transcript)
    .replace(/"(timestamp)":"[^"]+"/g, '"$1":"T"')
    .replace(/"nextPageToken":"[^"]+"/g, '"nextPageToken":"P"')
    .replace(/[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}/g, (id) => {
      if (!names.has(id)) names.set(id, `id-${names.size}`)
      return names.get(id) ?? ''
    })
  return JSON.parse(text)
}

/** Everything an agent is asked, with message ids that are the same everywhere. */
async function scenario(speak: Speak): Promise<Loose[]> {
  const told: Loose[] = []
  let nth = 0
  const ask: Speak = async (method, params) => {
    const answer = await speak(method, params)
    told.push([method, answer])
    return answer
  }
  const message = (text: string, more: object = {}) => ({
    message: { messageId: `m-${nth++}`, role: 'ROLE_USER', parts: [{ text }], ...more },
  })
  const hello = message('hello', { contextId: 'shared' })
  const sent = await ask('SendMessage', hello)
  await ask('SendMessage', hello)
  await ask('SendMessage', { ...hello, message: { ...hello.message, parts: [{ text: 'other' }] } })
  await ask('GetTask', { id: sent.task.id })
  await ask('GetTask', { id: sent.task.id, historyLength: 0 })
  await ask('SendStreamingMessage', message('streamed'))
  await ask('SendStreamingMessage', message('chunks 3 9'))
  const asked = (await ask('SendMessage', message('ask'))).task
  const [taskId, { contextId }] = [asked.id, asked]
  await ask('SendMessage', message('no', { taskId, contextId: 'wrong' }))
  await ask('CreateTaskPushNotificationConfig', { taskId, id: 'c', url: 'https://hooks.example/' })
  await ask('GetTaskPushNotificationConfig', { taskId, id: 'c' })
  await ask('ListTaskPushNotificationConfigs', { taskId })
  await ask('DeleteTaskPushNotificationConfig', { taskId, id: 'c' })
  await ask('SendMessage', message('blue', { taskId, contextId }))
  await ask('SendMessage', message('too late', { taskId }))
  await ask('CancelTask', { id: taskId })
  await ask('SubscribeToTask', { id: taskId })
  const open = (await ask('SendMessage', message('login'))).task
  await ask('CancelTask', { id: open.id })
  await ask('CancelTask', { id: open.id })
  await ask('SendMessage', message('boom'))
  await ask('SendMessage', message('no'))
  await ask('SendMessage', { message: { parts: [{ text: 'a', data: 1 }] } })
  await ask(
    'SendMessage',
    message('', { parts: [{ text: 'parts' }, { data: { a: null } }, { raw: 'AAE=' }] }),
  )
  await ask('SendMessage', message('x', { referenceTaskIds: ['nope'] }))
  await ask('GetTask', { id: 'nope' })
  await ask('ListTasks', { contextId: 'shared' })
  await ask('ListTasks', { status: 'TASK_STATE_COMPLETED', pageSize: 2 })
  await ask('ListTasks', { pageSize: 0x1000 })
  await ask('GetExtendedAgentCard')
  return told
}

const asOwner: AgentOptions['authenticate'] = () => ({ owner: 'bearer:alice', anonymous: false })

describe('equivalence', () => {
  test('[ev-equal] the whole scenario in 1.0 over JSON-RPC, REST and events is deep-equal', async () => {
    const extendedCard = () => ({ ...CARD, tags: [] }) as Loose
    const options = { push, authenticate: asOwner, extendedCard, key: AGENT.seed }
    const rpc = normalised(await scenario(overRpc(await openAgent(options))))
    const rest = normalised(await scenario(overRest(await openAgent(options))))
    const events = normalised(await scenario(overEvents(await (await openAir(options)).peer())))
    expect(rpc).toHaveLength(30)
    expect(rest).toEqual(rpc)
    expect(events).toEqual(rpc)
  })

  test('[ev-equal] a paid task over JSON-RPC, REST and events is deep-equal but for its transaction', async () => {
    const bought = async (speak: Speak) => {
      const message = (text: string, more: object = {}) => ({
        message: { messageId: text, role: 'ROLE_USER', parts: [{ text }], ...more },
      })
      const asked = (await speak('SendMessage', message('hello'))).task
      const payload = await market.now.payloadFor(metadataOf(asked)['x402.payment.required'])
      const paid = await speak('SendMessage', message('paid', { taskId: asked.id, ...submitted(payload) }))
      const used = await speak('SendMessage', message('used', submitted(payload)))
      const text = JSON.stringify([asked, paid, used])
      return JSON.parse(
        text
          .replace(/[1-9A-HJ-NP-Za-km-z]{80,90}/g, 'SIGNATURE')
          .replace(
            /"(transaction|blockhash|memo|quote|binding|token|mac|id|nonce|paymentId)":"[^"]{20,}"/g,
            '"$1":"V"',
          ),
        (name, value) => (/^(expires|issued|valid|created)|At$|Until$/.test(name) ? 0 : value),
      )
    }
    const shops = await Promise.all([market.now.open(), market.now.open(), market.now.open()])
    const [rpc, rest] = [await bought(overRpc(shops[0])), await bought(overRest(shops[1]))]
    const events = await bought(overEvents(await (await openAir({ running: shops[2] })).peer()))
    expect(shape(normalised(rest))).toEqual(shape(normalised(rpc)))
    expect(shape(normalised(events))).toEqual(shape(normalised(rpc)))
    expect(metadataOf(rpc[1].task)['x402.payment.status']).toBe('payment-completed')
    expect(metadataOf(rpc[2].task)['x402.payment.status']).toBe('payment-failed')
  })

  test('[v03-rest] in 0.3, JSON-RPC and REST tell the same of one task', async () => {
    const tell = async (isRest: boolean) => {
      const guard = createGuard({ allowPrivateNetwork: true, warn() {} })
      const agent = await openAgent({ push: { guard } })
      const send = async (id: string, text: string, more: object = {}) => {
        const parts = [{ kind: 'text', text }]
        const old = { kind: 'message', messageId: id, role: 'user', parts, ...more }
        const { taskId, contextId } = old as Loose
        const proto = {
          message_id: id,
          role: 'ROLE_USER',
          content: [{ text }],
          task_id: taskId,
          context_id: contextId,
        }
        if (!isRest) return (await agent.rpc('message/send', { message: old }, {})).json.result
        return fromProto(
          (await agent.ask('POST', '/v1/message:send', { body: { message: proto } })).json.task,
        )
      }
      const get = async (id: string) =>
        isRest
          ? fromProto((await agent.ask('GET', `/v1/tasks/${id}`)).json)
          : (await agent.rpc('tasks/get', { id }, {})).json.result
      const cancel = async (id: string) =>
        isRest
          ? fromProto((await agent.ask('POST', `/v1/tasks/${id}:cancel`)).json)
          : (await agent.rpc('tasks/cancel', { id }, {})).json.result
      const done = await send('1', 'hello', { contextId: 'shared' })
      const asked = await send('2', 'ask')
      const open = await send('3', 'login')
      return [
        done,
        await get(done.id),
        asked,
        await send('4', 'blue', { taskId: asked.id }),
        await cancel(open.id),
      ]
    }
    expect(normalised(await tell(true))).toEqual(normalised(await tell(false)))
  })
})

/** What differs from payment to payment: their bytes and numbers, not their names. */
function shape(value: Loose): Loose {
  return JSON.parse(JSON.stringify(value), (name, item) =>
    typeof item === 'string' && item.length > 60 && name !== 'text' ? `${item.length > 60}` : item,
  )
}

/** A task of the 0.3 proto in the words of its JSON-RPC. */
function fromProto(task: Loose): Loose {
  const states: Record<string, string> = { CANCELLED: 'canceled' }
  const message = ({ content, role, ...rest }: Loose): Loose => ({
    kind: 'message',
    ...rest,
    role: role === 'ROLE_USER' ? 'user' : 'agent',
    parts: content.map((part: Loose) => ({ kind: 'text', ...part })),
  })
  const { state, update, message: said, ...status } = task.status
  const word = state.replace('TASK_STATE_', '')
  const told = update ?? said
  return {
    kind: 'task',
    ...task,
    status: {
      ...status,
      state: states[word] ?? word.toLowerCase().replaceAll('_', '-'),
      ...(told !== undefined && { message: message(told) }),
    },
    ...(task.history !== undefined && { history: task.history.map(message) }),
    ...(task.artifacts !== undefined && {
      artifacts: task.artifacts.map(({ parts, ...artifact }: Loose) => ({
        ...artifact,
        parts: parts.map((part: Loose) => ({ kind: 'text', ...part })),
      })),
    }),
  }
}
