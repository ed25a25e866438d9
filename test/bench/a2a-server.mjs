/**
 * Child of a2a.mjs: the measured A2A server, ours or the published SDK's own, with executors that do the same. Both keep
 * tasks in memory. `queued` tells what waits in the responses for readers.
 */
import { createServer } from 'node:http'
import { answer } from './load-child.mjs'

const SEED = new Uint8Array(32).fill(7)
const CHUNK = 'x'.repeat(1024)
const LARGE = 'x'.repeat(128 * 1024)

const open = new Set()
let most = 0
let base = ''
/** In the process, without HTTP: a whole stream of this text. */
let stream = async (_text) => {}
let agent

/** Counts what Node holds for sockets that take nothing. */
function watched(listener) {
  return (request, response) => {
    open.add(response)
    response.once('close', () => open.delete(response))
    listener(request, response)
  }
}
setInterval(() => {
  let queued = 0
  for (const response of open) queued += response.writableLength
  most = Math.max(most, queued)
}, 5).unref()

async function listen(listener) {
  const server = createServer(watched(listener))
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve))
  base = `http://127.0.0.1:${server.address().port}`
}

/** `chunks <n>`, `large <n>` (one artifact, replaced n times), `wait`, or an echo. */
async function openOurs({ coalesceBytes }) {
  const { createAgent } = await import('@aetherkit/a2a')
  agent = createAgent({
    card: { name: 'Bench', description: 'Bench', skills: [{ id: 'x', name: 'X', description: 'X' }] },
    key: SEED,
    anonymous: 'shared',
    ...(coalesceBytes !== undefined && { limits: { coalesceBytes } }),
    executor: {
      async execute({ text, data, write, artifact, signal, drained }) {
        const [word, count = '0'] = text.split(' ')
        if (word === 'wait')
          return void (await new Promise((resolve) => signal.addEventListener('abort', resolve)))
        if (word === 'chunks') {
          for (let at = 0; at < Number(count); at++) {
            write(CHUNK)
            if (at % 100 === 99) await drained()
          }
        } else if (word === 'large') {
          for (let at = 0; at < Number(count) && !signal.aborted; at++) {
            artifact({ id: 'large', parts: [{ text: `${at}${LARGE}` }] })
            await new Promise((resolve) => setImmediate(resolve))
          }
        } else artifact({ id: 'result', parts: [data === undefined ? { text } : { data }] })
      },
    },
  })
  await listen(agent.listener)
  agent.at(base)
  stream = async (text) => {
    const reply = await agent.dispatch({
      body: JSON.stringify({
        jsonrpc: '2.0',
        id: 1,
        method: 'SendStreamingMessage',
        params: { message: messageOf(text) },
      }),
      version: '1.0',
      extensions: undefined,
      caller: { owner: 'bearer:bench', anonymous: false },
      tenant: '',
      carrier: 'jsonrpc',
    })
    let last
    for await (const { envelope } of reply.events) last = envelope
    if (last?.result?.statusUpdate?.status.state !== 'TASK_STATE_COMPLETED')
      throw new Error(JSON.stringify(last))
  }
}

async function openSdk() {
  const { AgentCard, Artifact, SendMessageRequest, Task, TaskState } = await import('@a2a-js/sdk')
  const { AgentEvent, DefaultRequestHandler, InMemoryTaskStore, ServerCallContext } = await import(
    '@a2a-js/sdk/server'
  )
  const { jsonRpcHandler, UserBuilder } = await import('@a2a-js/sdk/server/express')
  const { default: express } = await import('express')
  const stops = new Map()
  const now = () => new Date().toISOString()
  const executor = {
    async execute({ taskId, contextId, userMessage }, bus) {
      const [word, count = '0'] = String(userMessage.parts[0]?.content?.value).split(' ')
      const status = (state) => ({ state, message: undefined, timestamp: now() })
      const update = (state) =>
        bus.publish(
          AgentEvent.statusUpdate({ taskId, contextId, status: status(state), metadata: undefined }),
        )
      const artifact = (text, append) => {
        const whole = Artifact.fromJSON({ artifactId: 'result', parts: [{ text }] })
        bus.publish(
          AgentEvent.artifactUpdate({
            taskId,
            contextId,
            artifact: whole,
            append,
            lastChunk: false,
            metadata: undefined,
          }),
        )
      }
      const task = Task.fromJSON({ id: taskId, contextId })
      bus.publish(
        AgentEvent.task({ ...task, status: status(TaskState.TASK_STATE_SUBMITTED), history: [userMessage] }),
      )
      update(TaskState.TASK_STATE_WORKING)
      if (word === 'wait') {
        await new Promise((resolve) => stops.set(taskId, resolve))
        update(TaskState.TASK_STATE_CANCELED)
        return bus.finished()
      }
      const isLarge = word === 'large'
      if (isLarge || word === 'chunks')
        for (let at = 0; at < Number(count); at++) {
          artifact(isLarge ? `${at}${LARGE}` : CHUNK, !isLarge && at > 0)
          if (isLarge || at % 100 === 99) await new Promise((resolve) => setImmediate(resolve))
        }
      else artifact('echo', false)
      update(TaskState.TASK_STATE_COMPLETED)
      bus.finished()
    },
    async cancelTask(taskId) {
      stops.get(taskId)?.()
    },
  }
  const card = AgentCard.fromJSON({
    name: 'Bench',
    description: 'Bench',
    version: '1',
    supportedInterfaces: [{ url: 'http://localhost', protocolBinding: 'JSONRPC', protocolVersion: '1.0' }],
    capabilities: { streaming: true },
  })
  const handler = new DefaultRequestHandler(card, new InMemoryTaskStore(), executor)
  const app = express()
  app.use(jsonRpcHandler({ requestHandler: handler, userBuilder: UserBuilder.noAuthentication }))
  await listen(app)
  stream = async (text) => {
    const context = new ServerCallContext({ requestedVersion: '1.0' })
    for await (const _event of handler.sendMessageStream(
      SendMessageRequest.fromJSON({ message: messageOf(text) }),
      context,
    ));
  }
}

const messageOf = (text) => ({ messageId: crypto.randomUUID(), role: 'ROLE_USER', parts: [{ text }] })

answer({
  async open({ kind, ...options }) {
    await (kind === 'ours' ? openOurs(options) : openSdk())
    return base
  },
  /** Seconds of a whole stream in this process. */
  async stream({ text }) {
    const begun = performance.now()
    await stream(text)
    return (performance.now() - begun) / 1000
  },
  /** Bytes that wait for readers: the most since the last call. */
  queued() {
    const value = most
    most = 0
    return value
  },
  /** On a relay as well; its public key. */
  async serve({ relay }) {
    const { connect } = await import('@aetherkit/client')
    const client = await connect(relay, { signer: SEED })
    await agent.serveOn(client).ready
    return client.publicKey
  },
})
