/** GetTask, ListTasks, CancelTask and SubscribeToTask (spec a2a 2.5, 2.6, 2.9). */
import type { CallContext, Engine, Numbered } from '../engine.js'
import { A2AError } from '../errors.js'
import type { ListTasksRequest, ListTasksResponse, Task } from '../model.js'
import type { TaskStore } from '../task-store.js'
import { type CancelOptions, cancelTask } from './cancel.js'
import { checkList } from './list.js'
import type { LiveTask } from './live-task.js'
import { checkHistoryLength, withHistory, withHistoryEach, withoutArtifacts } from './view.js'

export interface TaskOptions extends CancelOptions {
  readonly store: TaskStore
  readonly streaming: boolean
  /** Anonymous callers are one owner who may see all of it. */
  readonly listsAnonymous: boolean
}

type TaskOperations = Pick<Engine, 'get' | 'list' | 'cancel' | 'subscribe'>

export function taskOperations(options: TaskOptions): TaskOperations {
  const { store, tasks, limits } = options

  async function own(id: string, { caller, tenant }: CallContext): Promise<LiveTask> {
    const live = await tasks.acquire(id, caller.owner, tenant)
    if (live === undefined) throw new A2AError('TASK_NOT_FOUND')
    return live
  }

  async function get(
    { id, historyLength }: { readonly id: string; readonly historyLength?: number },
    { caller, tenant }: CallContext,
  ): Promise<Task> {
    checkHistoryLength(historyLength, 'historyLength')
    const task = await tasks.read(id, caller.owner, tenant)
    if (task === undefined) throw new A2AError('TASK_NOT_FOUND')
    return withHistory(task, historyLength, limits.historyDefault)
  }

  async function list(
    request: ListTasksRequest,
    { caller, tenant }: CallContext,
  ): Promise<ListTasksResponse> {
    if (caller.anonymous && !options.listsAnonymous) {
      throw new A2AError('UNSUPPORTED_OPERATION', 'Tasks are listed for callers who say who they are')
    }
    const query = { ...checkList(request), owner: caller.owner, tenant }
    await tasks.flush(caller.owner, tenant)
    const { tasks: found, nextPageToken, totalSize } = await store.list(query)
    const shown = found.map((task) => {
      const short = withHistory(task, request.historyLength, 0)
      return request.includeArtifacts === true ? short : withoutArtifacts(short)
    })
    return { tasks: shown, nextPageToken, pageSize: query.pageSize, totalSize }
  }

  async function cancel({ id }: { readonly id: string }, context: CallContext): Promise<Task> {
    const task = await cancelTask(await own(id, context), options)
    return withHistory(task, undefined, limits.historyDefault)
  }

  async function* subscribe(
    { id, after }: { readonly id: string; readonly after?: number },
    context: CallContext,
  ): AsyncGenerator<Numbered, void> {
    if (!options.streaming) throw new A2AError('UNSUPPORTED_OPERATION', 'This agent does not stream')
    const live = await own(id, context)
    if (live.terminal) throw new A2AError('UNSUPPORTED_OPERATION', 'The task has ended: get it instead')
    const reader = live.subscribe(after)
    try {
      yield* withHistoryEach(reader.read(context.signal), undefined, limits.historyDefault)
    } finally {
      live.unsubscribe(reader)
    }
  }

  return { get, list, cancel, subscribe }
}
