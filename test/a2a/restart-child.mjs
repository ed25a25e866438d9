/**
 * An agent with a durable store, in a process that the test kills. `<folder> <recover|fail|state>`: tells its parent its
 * URL. `slow` in the text works until the process dies; `again` is what it says when it is recovered. With a state
 * (`WORKING`, `COMPLETED`) it dies of SIGKILL the moment that a task is in its store in that state.
 */
import { createAgent, createGuard, lmdbTaskStore } from '@aetherkit/a2a'

const [folder = '', mode = 'fail'] = process.argv.slice(2)
let runs = 0
const store = lmdbTaskStore(`${folder}/tasks.mdb`)
const { save } = store
store.save = async (...call) => {
  const saved = await save(...call)
  if (call[0].task.status.state === `TASK_STATE_${mode}`) process.kill(process.pid, 'SIGKILL')
  return saved
}
const agent = createAgent({
  card: { name: 'Phoenix', description: 'Is killed', skills: [{ id: 'x', name: 'X', description: 'X' }] },
  store,
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
