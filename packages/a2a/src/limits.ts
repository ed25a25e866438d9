/** Every limit of an agent, with its default (spec a2a 7.2, 7.4, 7.6 to 7.8). Bytes are UTF-8, times are ms. */

export interface Limits {
  /** Of a request body, before it is parsed. */
  readonly bodyBytes: number
  readonly partsPerMessage: number
  readonly textPartBytes: number
  /** Of the metadata of a request, a message or a part: nesting, and size as JSON. */
  readonly metadataDepth: number
  readonly metadataBytes: number
  /** URIs in the extensions header. */
  readonly extensions: number
  readonly referenceTaskIds: number
  /** Messages and bytes that a task keeps; the oldest go first. */
  readonly historyMessages: number
  readonly historyBytes: number
  /** Newest messages in an answer when `historyLength` is unset; none in a list. */
  readonly historyDefault: number
  /** Artifacts of a task and bytes in all of them: more fails the task. */
  readonly artifacts: number
  readonly artifactBytes: number
  /** Kept at once, ended ones included. All anonymous callers are one owner. */
  readonly tasksPerOwner: number
  readonly tasksAnonymous: number
  /** Executions and queued messages at once, in all and of one owner (of one peer when anonymous). */
  readonly executions: number
  readonly executionsPerOwner: number
  /** Messages that wait for a working task. */
  readonly queuedMessages: number
  readonly streamsPerTask: number
  readonly executionMs: number
  /** How long a cancel waits for the executor to stop: the answer is out within 2 s. */
  readonly cancelMs: number
  /** Terminal and interrupted tasks are removed when they are older; how often that is looked for. */
  readonly taskTtlMs: number
  readonly evictionMs: number
  /** How long a message id is remembered. */
  readonly onceMs: number
  /** Text that an executor writes is sent at latest after this time or at this size. */
  readonly coalesceMs: number
  readonly coalesceBytes: number
  /** How often a task that only grew is written to the store. */
  readonly snapshotMs: number
  /** Updates of a task that are held for resume. */
  readonly ringUpdates: number
  readonly ringBytes: number
  /** Queued for one stream; and how long it may stay undrained. */
  readonly streamBytes: number
  readonly streamStallMs: number
  readonly heartbeatMs: number
  readonly pushConfigs: number
}

const KIB = 1024
const MIB = 1024 * KIB
const MINUTE = 60_000
const DAY = 24 * 60 * MINUTE

export const DEFAULT_LIMITS: Limits = {
  bodyBytes: MIB,
  partsPerMessage: 64,
  textPartBytes: 256 * KIB,
  metadataDepth: 16,
  metadataBytes: 64 * KIB,
  extensions: 32,
  referenceTaskIds: 16,
  historyMessages: 1000,
  historyBytes: 8 * MIB,
  historyDefault: 100,
  artifacts: 1000,
  artifactBytes: 16 * MIB,
  tasksPerOwner: 10_000,
  tasksAnonymous: 100_000,
  executions: 256,
  executionsPerOwner: 32,
  queuedMessages: 16,
  streamsPerTask: 64,
  executionMs: 10 * MINUTE,
  cancelMs: 1500,
  taskTtlMs: 7 * DAY,
  evictionMs: MINUTE,
  onceMs: DAY,
  coalesceMs: 50,
  coalesceBytes: 8 * KIB,
  snapshotMs: 1000,
  ringUpdates: 1024,
  ringBytes: MIB,
  streamBytes: MIB,
  streamStallMs: 30_000,
  heartbeatMs: 15_000,
  pushConfigs: 10,
}
