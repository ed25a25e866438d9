/**
 * An agent with a durable store, in a process that the test kills. `<folder> <recover|fail> <port>`: says its URL on
 * stdout. `slow` in the text works until the process dies; `again` is what it says when it is recovered.
 */
import { createAgent, createGuard, lmdbTaskStore } from '@aetherkit/a2a'

const [folder = '', mode = 'fail'] = process.argv.slice(2)
let runs = 0
const agent = createAgent({
  card: { name: 'Phoenix', description: 'Is killed', skills: [{ id: 'x', name: 'X', description: 'X' }] },
  store: lmdbTaskStore(`${folder}/tasks.mdb`),
  anonymous: 'shared',
  authenticate: () => ({ owner: 'bearer:alice', anonymous: false }),
  push: {
    guard: createGuard({ allowPrivateNetwork: true, warn() {} }),
    firstDelayMs: 50,
    maxDelayMs: 100,
    attempts: 50,
  },
  executor: {
    recover: () => mode === 'recover',
    async execute({ text, task, write, drained, artifact, signal }) {
      runs += 1
      if (text.startsWith('ask')) return { state: 'input-required', message: 'Which one?' }
      if (!text.startsWith('slow'))
        return void artifact({ id: 'result', parts: [{ text: `${runs}: ${text}` }] })
      if ((task.artifacts ?? []).length > 0 || mode === 'recover')
        return void artifact({ parts: [{ text: 'again' }] })
      write('half of it')
      await drained()
      await new Promise((resolve) => signal.addEventListener('abort', resolve))
    },
  },
})
const { url } = await agent.listen()
process.send({ url })
