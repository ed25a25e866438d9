/** Stored checkpoints in the shape of LangGraph: its serializer, its tuple, its way with sends of older versions. */
import type { CheckpointPlace, Checkpoints, StoredCheckpoint, Typed } from '@aetherkit/client'
import type { RunnableConfig } from '@langchain/core/runnables'
import {
  type BaseCheckpointSaver,
  type Checkpoint,
  type CheckpointMetadata,
  type CheckpointPendingWrite,
  type CheckpointTuple,
  maxChannelVersion,
  type SerializerProtocol,
  TASKS,
  WRITES_IDX_MAP,
} from '@langchain/langgraph-checkpoint'

export class TupleReader {
  readonly #checkpoints: Checkpoints
  readonly #saver: Pick<BaseCheckpointSaver, 'serde' | 'getNextVersion'>

  constructor(checkpoints: Checkpoints, saver: Pick<BaseCheckpointSaver, 'serde' | 'getNextVersion'>) {
    this.#checkpoints = checkpoints
    this.#saver = saver
  }

  async metadata({ metadata }: StoredCheckpoint) {
    return this.#loads(metadata)
  }

  /** Undefined when the checkpoint was deleted meanwhile. */
  async read(stored: StoredCheckpoint, metadata: CheckpointMetadata): Promise<CheckpointTuple | undefined> {
    const { place, parent, head } = stored
    const pending = this.#writes(place)
    const [rest, parts] = await Promise.all([this.#loads(head), stored.parts(), pending])
    if (parts === undefined) return undefined
    const values = parts.map(async ({ name, value }) => [name, await this.#loads(value)])
    const checkpoint: Checkpoint = {
      ...rest,
      channel_values: Object.fromEntries(await Promise.all(values)),
    }
    const tuple = { config: configOf(place), checkpoint, metadata, pendingWrites: await pending }
    if (parent === undefined) return tuple
    const follows = { ...place, id: parent }
    if (checkpoint.v < 4) this.#addSends(checkpoint, await this.#writes(follows))
    return { ...tuple, parentConfig: configOf(follows) }
  }

  async #writes(place: CheckpointPlace): Promise<CheckpointPendingWrite[]> {
    const writes = await this.#checkpoints.writes(place)
    return Promise.all(
      writes.map(
        async ({ task, channel, value }): Promise<CheckpointPendingWrite> => [
          task,
          channel,
          await this.#loads(value),
        ],
      ),
    )
  }

  /** Before version 4 the sends of a step were pending writes of its parent. */
  #addSends({ channel_values, channel_versions }: Checkpoint, writes: CheckpointPendingWrite[]): void {
    channel_values[TASKS] = writes.filter(([, channel]) => channel === TASKS).map(([, , value]) => value)
    const versions = Object.values(channel_versions)
    channel_versions[TASKS] =
      versions.length > 0 ? maxChannelVersion(...versions) : this.#saver.getNextVersion(undefined)
  }

  #loads({ type, bytes }: Typed) {
    return this.#saver.serde.loadsTyped(type, bytes)
  }
}

export async function dumps(serde: SerializerProtocol, value: unknown): Promise<Typed> {
  const [type, bytes] = await serde.dumpsTyped(value)
  return { type, bytes }
}

export function configOf({ thread, namespace, id }: CheckpointPlace): RunnableConfig {
  return { configurable: { thread_id: thread, checkpoint_ns: namespace, checkpoint_id: id } }
}

/** Interrupts, errors and the like have places of their own; `WRITES_IDX_MAP` is a plain object, with a prototype. */
export function placeOfWrite(channel: string, index: number): number {
  return (Object.hasOwn(WRITES_IDX_MAP, channel) ? WRITES_IDX_MAP[channel] : undefined) ?? index
}
