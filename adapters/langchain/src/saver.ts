/** A LangGraph checkpointer on Aether state: translates, `@aetherkit/client` keeps (spec frameworks 6.3, aether 2.1). */
import {
  type Checkpoints,
  openCheckpoints,
  openState,
  type StateClient,
  type StateOptions,
} from '@aetherkit/client'
import type { RunnableConfig } from '@langchain/core/runnables'
import {
  BaseCheckpointSaver,
  type ChannelVersions,
  type Checkpoint,
  type CheckpointListOptions,
  type CheckpointMetadata,
  type CheckpointTuple,
  getCheckpointId,
  type PendingWrite,
  type SerializerProtocol,
} from '@langchain/langgraph-checkpoint'
import { configOf, dumps, placeOfWrite, TupleReader } from './checkpoint-tuple.js'

export interface AetherSaverOptions extends StateOptions {
  /** Default: LangGraph's own, JsonPlus. */
  serde?: SerializerProtocol
}

/**
 * Checkpoints as events that only `signer` can read. `put` resolves when the relay has committed the checkpoint.
 * @throws as `openState`.
 */
export class AetherSaver extends BaseCheckpointSaver {
  readonly #checkpoints: Checkpoints
  readonly #tuples: TupleReader

  constructor(client: StateClient, { serde, ...options }: AetherSaverOptions) {
    super(serde)
    this.#checkpoints = openCheckpoints(openState(client, { space: 'langgraph-checkpoints', ...options }))
    this.#tuples = new TupleReader(this.#checkpoints, this)
  }

  async getTuple(config: RunnableConfig): Promise<CheckpointTuple | undefined> {
    const { thread_id: thread, checkpoint_ns: namespace = '' } = config.configurable ?? {}
    if (thread === undefined) return undefined
    const id = getCheckpointId(config)
    const stored = await (id === ''
      ? this.#checkpoints.latest(thread, namespace)
      : this.#checkpoints.load({ thread, namespace, id }))
    return stored && this.#tuples.read(stored, await this.#tuples.metadata(stored))
  }

  async *list(config: RunnableConfig, options: CheckpointListOptions = {}): AsyncGenerator<CheckpointTuple> {
    const { thread_id: thread, checkpoint_ns: namespace, checkpoint_id: id } = config.configurable ?? {}
    const { before, filter = {}, limit = Infinity } = options
    if (limit <= 0) return
    let count = 0
    const query = { thread, namespace, id, before: before?.configurable?.checkpoint_id }
    for await (const stored of this.#checkpoints.list(query)) {
      const metadata = await this.#tuples.metadata(stored)
      if (!Object.entries(filter).every(([key, value]) => metadata[key] === value)) continue
      const tuple = await this.#tuples.read(stored, metadata)
      if (tuple === undefined) continue
      yield tuple
      if (++count >= limit) return
    }
  }

  async put(
    config: RunnableConfig,
    { channel_values, ...rest }: Checkpoint,
    metadata: CheckpointMetadata,
    newVersions: ChannelVersions,
  ): Promise<RunnableConfig> {
    const { thread_id, checkpoint_ns = '', checkpoint_id } = config.configurable ?? {}
    const place = { thread: required(thread_id, 'thread_id'), namespace: checkpoint_ns, id: rest.id }
    const parent = checkpoint_id || undefined
    const parts = Object.entries(channel_values).map(async ([name, value]) => ({
      name,
      version: rest.channel_versions[name],
      fresh: Object.hasOwn(newVersions, name),
      value: await dumps(this.serde, value),
    }))
    const [head, meta, all] = await Promise.all([
      dumps(this.serde, rest),
      dumps(this.serde, metadata),
      Promise.all(parts),
    ])
    await this.#checkpoints.save({ place, parent, head, metadata: meta, parts: all })
    return configOf(place)
  }

  async putWrites(config: RunnableConfig, writes: PendingWrite[], task: string): Promise<void> {
    const { thread_id, checkpoint_ns: namespace = '', checkpoint_id } = config.configurable ?? {}
    const place = {
      thread: required(thread_id, 'thread_id'),
      namespace,
      id: required(checkpoint_id, 'checkpoint_id'),
    }
    const pending = writes.map(async ([channel, value], index) => ({
      task,
      index: placeOfWrite(channel, index),
      channel,
      value: await dumps(this.serde, value),
    }))
    await this.#checkpoints.addWrites(place, await Promise.all(pending))
  }

  async deleteThread(threadId: string): Promise<void> {
    await this.#checkpoints.drop(threadId)
  }
}

/** @throws TypeError for a config without it. */
function required(value: unknown, name: string): string {
  if (typeof value === 'string' && value !== '') return value
  throw new TypeError(`config.configurable.${name} must be a text: it names what is kept`)
}
