/** Writes tasks to the store at the path and tells the parent of each that was acknowledged, until it is killed. */
import { lmdbTaskStore } from '../dist/store/lmdb.js'

const store = lmdbTaskStore(process.argv[2])
for (let n = 0; n < 10_000; n++) {
  await store.save({
    task: {
      id: `task-${n}`,
      contextId: `context-${n % 7}`,
      status: { state: 'TASK_STATE_WORKING', timestamp: new Date().toISOString() },
      artifacts: [{ artifactId: 'result', parts: [{ text: `chunk ${n}` }] }],
    },
    owner: 'bearer:ann',
    tenant: '',
    seq: n,
    updatedAt: Date.now(),
  })
  process.send(n)
}
