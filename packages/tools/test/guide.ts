/** Another agent as the tools of an adapter, for its tests: a real one, over HTTP, on a free port (spec a2a 8.1). */
import { createAgent, type Execution } from '@aetherkit/a2a'
import { a2aContext, a2aTools, memoryAgentConversations } from '@aetherkit/tools/a2a'
import { onTestFinished } from 'vitest'

/** `ask` and `allow` wait for an answer, `wait` works until it is cancelled, the rest is echoed. */
export async function openGuide() {
  const executions: Execution[] = []
  const served = createAgent({
    card: {
      name: 'Guide',
      description: 'Knows places',
      skills: [{ id: 'places', name: 'Places', description: 'Finds places' }],
    },
    authenticate: () => ({ owner: 'bearer:me', anonymous: false }),
    executor: {
      async execute(execution) {
        executions.push(execution)
        const { text, resumed, signal, progress, artifact } = execution
        if (!resumed && text === 'ask') return { state: 'input-required', message: 'Which city?' }
        if (!resumed && text === 'allow')
          return {
            state: 'input-required',
            message: [{ text: 'May I?' }, { data: { approvals: [{ id: '1', tool: 'book' }] } }],
          }
        progress('looking')
        if (text === 'wait')
          await new Promise((resolve) => signal.addEventListener('abort', resolve, { once: true }))
        artifact({ id: 'result', parts: [{ text: `about ${text}` }, { data: { stars: 5 } }] })
        return undefined
      },
    },
  })
  onTestFinished(() => served.close())
  const { url } = await served.listen()
  const { tools: definitions, close } = await a2aTools({
    agents: { guide: { url, auth: { bearer: 'me' }, allowPrivateNetwork: true, guard: { warn: () => {} } } },
  })
  onTestFinished(close)
  const ctx = a2aContext({ threadId: 'thread', conversations: memoryAgentConversations() })
  return { definitions, ctx, executions }
}
