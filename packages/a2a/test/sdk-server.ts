/** An agent on the SDK's own server, in both versions: `wait` until cancelled, `ask` once, `reply`, `chunks n`, else an echo. */
import type { AddressInfo } from 'node:net'
import {
  AgentCard,
  type Message,
  Message as MessageCodec,
  Task,
  TaskArtifactUpdateEvent,
  TaskStatusUpdateEvent,
} from '@a2a-js/sdk'
import { AgentEvent, type AgentExecutor, DefaultRequestHandler, InMemoryTaskStore } from '@a2a-js/sdk/server'
import { agentCardHandler, jsonRpcHandler, restHandler, UserBuilder } from '@a2a-js/sdk/server/express'
import express from 'express'

export interface SdkServer {
  readonly url: string
  /** Tasks that were cancelled. */
  readonly canceled: string[]
  /** Tasks that took up `wait`, by id. */
  readonly waiting: ReadonlyMap<string, unknown>
  close(): Promise<void>
}

export async function openSdkServer(versions: readonly string[] = ['1.0', '0.3']): Promise<SdkServer> {
  const app = express()
  const server = app.listen(0, '127.0.0.1')
  await new Promise<void>((resolve) => server.once('listening', () => resolve()))
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  const canceled: string[] = []
  const waiting = new Map<string, () => void>()

  const executor: AgentExecutor = {
    async execute({ userMessage, taskId, contextId, task }, bus) {
      const text = textOf(userMessage)
      const at = { taskId, contextId }
      const status = (state: string, said?: string) =>
        bus.publish(
          AgentEvent.statusUpdate(
            TaskStatusUpdateEvent.fromJSON({
              ...at,
              status: {
                state,
                timestamp: new Date().toISOString(),
                ...(said && {
                  message: {
                    messageId: crypto.randomUUID(),
                    role: 'ROLE_AGENT',
                    parts: [{ text: said }],
                    ...at,
                  },
                }),
              },
            }),
          ),
        )
      const write = (said: string, append: boolean) =>
        bus.publish(
          AgentEvent.artifactUpdate(
            TaskArtifactUpdateEvent.fromJSON({
              ...at,
              append,
              artifact: { artifactId: 'result', parts: [{ text: said }] },
            }),
          ),
        )
      if (text === 'reply') {
        const said = {
          messageId: crypto.randomUUID(),
          role: 'ROLE_AGENT',
          contextId,
          parts: [{ text: 'hello' }],
        }
        bus.publish(AgentEvent.message(MessageCodec.fromJSON(said)))
        return bus.finished()
      }
      if (task === undefined)
        bus.publish(
          AgentEvent.task(
            Task.fromJSON({
              id: taskId,
              contextId,
              status: { state: 'TASK_STATE_SUBMITTED' },
              history: [MessageCodec.toJSON(userMessage)],
            }),
          ),
        )
      status('TASK_STATE_WORKING')
      if (text === 'ask' && task === undefined) {
        status('TASK_STATE_INPUT_REQUIRED', 'Which one?')
        return bus.finished()
      }
      if (text === 'wait') {
        await new Promise<void>((resolve) => waiting.set(taskId, resolve))
        status('TASK_STATE_CANCELED')
        return bus.finished()
      }
      const [word, count = '0'] = text.split(' ')
      if (word === 'chunks') {
        for (let index = 0; index < Number(count); index += 1) {
          write(`${index},`, index > 0)
          await new Promise((resolve) => setTimeout(resolve, 2))
        }
      } else write(text, false)
      status('TASK_STATE_COMPLETED')
      bus.finished()
    },
    async cancelTask(taskId) {
      canceled.push(taskId)
      waiting.get(taskId)?.()
    },
  }

  const card = AgentCard.fromJSON({
    name: 'SDK agent',
    description: 'Runs on the reference SDK',
    version: '1.0.0',
    capabilities: { streaming: true },
    defaultInputModes: ['text/plain'],
    defaultOutputModes: ['text/plain'],
    skills: [{ id: 'echo', name: 'Echo', description: 'Says it again', tags: ['text'] }],
    supportedInterfaces: versions.flatMap((protocolVersion) => [
      { url: `${url}/rpc`, protocolBinding: 'JSONRPC', protocolVersion },
      { url: `${url}/rest`, protocolBinding: 'HTTP+JSON', protocolVersion },
    ]),
  })
  const requestHandler = new DefaultRequestHandler(card, new InMemoryTaskStore(), executor)
  const shared = {
    requestHandler,
    userBuilder: UserBuilder.noAuthentication,
    legacyCompat: { enabled: true },
  }
  app.use(
    '/.well-known/agent-card.json',
    agentCardHandler({ agentCardProvider: requestHandler, legacyCompat: { enabled: true } }),
  )
  app.use('/rpc', jsonRpcHandler(shared))
  app.use('/rest', restHandler(shared))
  return {
    url,
    canceled,
    waiting,
    close: () => {
      server.closeAllConnections()
      return new Promise((resolve) => server.close(() => resolve()))
    },
  }
}

const textOf = ({ parts }: Message): string =>
  parts.map(({ content }) => (content?.$case === 'text' ? content.value : '')).join('')
