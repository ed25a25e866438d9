/**
 * The published SDK's own server (@a2a-js/sdk on Express, memory store) as a peer, with an executor that knows some words
 * of ours: `ask`, `reply`, `wait`, `chunks <n> <bytes>`; anything else is echoed.
 */
import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import { AgentCard, Artifact, Message, Task, TaskState } from '@a2a-js/sdk'
import {
  AgentEvent,
  type AgentExecutor,
  DefaultRequestHandler,
  type ExecutionEventBus,
  InMemoryTaskStore,
  type RequestContext,
} from '@a2a-js/sdk/server'
import { agentCardHandler, jsonRpcHandler, restHandler, UserBuilder } from '@a2a-js/sdk/server/express'
import express from 'express'

export interface SdkServer {
  /** Base of all bindings: JSON-RPC at `/`, REST below it, in 1.0 and 0.3. */
  readonly url: string
  close(): Promise<void>
}

class Words implements AgentExecutor {
  readonly #stops = new Map<string, () => void>()

  async execute(
    { taskId, contextId, userMessage, task }: RequestContext,
    bus: ExecutionEventBus,
  ): Promise<void> {
    const [part] = userMessage.parts
    const text = part?.content?.$case === 'text' ? part.content.value : ''
    const [word, count = '1', size = '1'] = text.split(' ')
    const say = (words: string) =>
      Message.fromJSON({
        messageId: crypto.randomUUID(),
        role: 'ROLE_AGENT',
        parts: [{ text: words }],
        contextId,
      })
    const status = (state: TaskState, words?: string) => ({
      state,
      message: words === undefined ? undefined : say(words),
      timestamp: new Date().toISOString(),
    })
    const update = (state: TaskState, words?: string) =>
      bus.publish(
        AgentEvent.statusUpdate({ taskId, contextId, status: status(state, words), metadata: undefined }),
      )
    const write = (words: string, append: boolean) => {
      const artifact = Artifact.fromJSON({ artifactId: 'result', parts: [{ text: words }] })
      bus.publish(
        AgentEvent.artifactUpdate({
          taskId,
          contextId,
          artifact,
          append,
          lastChunk: false,
          metadata: undefined,
        }),
      )
    }
    if (word === 'reply') {
      bus.publish(AgentEvent.message(say('hello')))
      return bus.finished()
    }
    const fresh = { ...Task.fromJSON({ id: taskId, contextId }), history: [userMessage] }
    bus.publish(AgentEvent.task({ ...(task ?? fresh), status: status(TaskState.TASK_STATE_SUBMITTED) }))
    update(TaskState.TASK_STATE_WORKING)
    if (word === 'ask') {
      update(TaskState.TASK_STATE_INPUT_REQUIRED, 'Which one?')
      return bus.finished()
    }
    if (word === 'wait') {
      await new Promise<void>((resolve) => this.#stops.set(taskId, resolve))
      update(TaskState.TASK_STATE_CANCELED)
      return bus.finished()
    }
    if (word !== 'chunks') write(text, false)
    else for (let at = 0; at < Number(count); at++) write('x'.repeat(Number(size)), at > 0)
    update(TaskState.TASK_STATE_COMPLETED)
    bus.finished()
  }

  async cancelTask(taskId: string): Promise<void> {
    this.#stops.get(taskId)?.()
  }
}

export async function openSdkServer(): Promise<SdkServer> {
  const app = express()
  const server = app.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  const supportedInterfaces = ['1.0', '0.3'].flatMap((protocolVersion) =>
    ['JSONRPC', 'HTTP+JSON'].map((protocolBinding) => ({ url: `${url}/`, protocolBinding, protocolVersion })),
  )
  const card = AgentCard.fromJSON({
    name: 'Peer',
    description: 'The published SDK',
    version: '1.0.0',
    supportedInterfaces,
    capabilities: { streaming: true, pushNotifications: false, extendedAgentCard: false },
    defaultInputModes: ['text/plain'],
    defaultOutputModes: ['text/plain'],
    skills: [{ id: 'echo', name: 'Echo', description: 'Echo', tags: ['text'] }],
  })
  const requestHandler = new DefaultRequestHandler(card, new InMemoryTaskStore(), new Words())
  const legacyCompat = { enabled: true }
  const shared = { requestHandler, userBuilder: UserBuilder.noAuthentication, legacyCompat }
  app.use(
    '/.well-known/agent-card.json',
    agentCardHandler({ agentCardProvider: requestHandler, legacyCompat }),
  )
  const [rpc, rest] = [jsonRpcHandler(shared), restHandler(shared)]
  app.use((request, response, next) => (request.path === '/' ? rpc : rest)(request, response, next))
  return {
    url,
    async close() {
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
    },
  }
}
