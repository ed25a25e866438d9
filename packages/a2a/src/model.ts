/**
 * The shapes of A2A 1.0 in their JSON form (spec a2a 2.4 to 2.7): what is on the wire is what the engine works on and
 * what the store keeps. Times are UTC with milliseconds and `Z`.
 */

export type Json = null | boolean | number | string | readonly Json[] | JsonRecord
export interface JsonRecord {
  readonly [key: string]: Json | undefined
}

export type TaskState =
  | 'TASK_STATE_SUBMITTED'
  | 'TASK_STATE_WORKING'
  | 'TASK_STATE_INPUT_REQUIRED'
  | 'TASK_STATE_AUTH_REQUIRED'
  | 'TASK_STATE_COMPLETED'
  | 'TASK_STATE_FAILED'
  | 'TASK_STATE_CANCELED'
  | 'TASK_STATE_REJECTED'

/** Exactly one of `text`, `raw` (base64), `url` and `data`. */
export interface Part {
  readonly text?: string
  readonly raw?: string
  readonly url?: string
  readonly data?: Json
  readonly metadata?: JsonRecord
  readonly filename?: string
  readonly mediaType?: string
}

export interface Message {
  readonly messageId: string
  readonly role: 'ROLE_USER' | 'ROLE_AGENT'
  readonly parts: readonly Part[]
  readonly contextId?: string
  readonly taskId?: string
  readonly metadata?: JsonRecord
  readonly extensions?: readonly string[]
  readonly referenceTaskIds?: readonly string[]
}

export interface Artifact {
  /** Unique in its task. */
  readonly artifactId: string
  readonly parts: readonly Part[]
  readonly name?: string
  readonly description?: string
  readonly metadata?: JsonRecord
  readonly extensions?: readonly string[]
}

export interface TaskStatus {
  readonly state: TaskState
  readonly message?: Message
  readonly timestamp?: string
}

export interface Task {
  readonly id: string
  readonly contextId: string
  readonly status: TaskStatus
  readonly artifacts?: readonly Artifact[]
  readonly history?: readonly Message[]
  readonly metadata?: JsonRecord
}

export interface StatusUpdate {
  readonly taskId: string
  readonly contextId: string
  readonly status: TaskStatus
  readonly metadata?: JsonRecord
}

export interface ArtifactUpdate {
  readonly taskId: string
  readonly contextId: string
  readonly artifact: Artifact
  /** The parts go behind those of the artifact with this id. */
  readonly append?: boolean
  readonly lastChunk?: boolean
  readonly metadata?: JsonRecord
}

/** Exactly one member. */
export type StreamResponse =
  | { readonly task: Task }
  | { readonly message: Message }
  | { readonly statusUpdate: StatusUpdate }
  | { readonly artifactUpdate: ArtifactUpdate }

export interface PushConfig {
  readonly id?: string
  readonly taskId?: string
  readonly url: string
  readonly token?: string
  readonly authentication?: { readonly scheme: string; readonly credentials?: string }
}

export interface SendMessageRequest {
  readonly message: Message
  readonly configuration?: {
    readonly acceptedOutputModes?: readonly string[]
    readonly taskPushNotificationConfig?: PushConfig
    readonly historyLength?: number
    readonly returnImmediately?: boolean
  }
  readonly metadata?: JsonRecord
}

export type SendMessageResponse = { readonly task: Task } | { readonly message: Message }

export interface ListTasksRequest {
  readonly contextId?: string
  readonly status?: TaskState
  /** 1 to 100, 50 by default. */
  readonly pageSize?: number
  readonly pageToken?: string
  readonly historyLength?: number
  /** At or after. */
  readonly statusTimestampAfter?: string
  readonly includeArtifacts?: boolean
}

export interface ListTasksResponse {
  readonly tasks: readonly Task[]
  /** Empty at the end. */
  readonly nextPageToken: string
  readonly pageSize: number
  /** Before paging. */
  readonly totalSize: number
}

export interface AgentSkill {
  readonly id: string
  readonly name: string
  readonly description: string
  readonly tags: readonly string[]
  readonly examples?: readonly string[]
  readonly inputModes?: readonly string[]
  readonly outputModes?: readonly string[]
  readonly securityRequirements?: readonly JsonRecord[]
}

export interface AgentInterface {
  /** Base of the binding, never of one operation. */
  readonly url: string
  /** `JSONRPC`, `HTTP+JSON`, or a URI of a custom binding. */
  readonly protocolBinding: string
  readonly protocolVersion: string
  readonly tenant?: string
}

export interface AgentExtension {
  readonly uri: string
  readonly description?: string
  readonly required?: boolean
  readonly params?: JsonRecord
}

export interface AgentCard {
  readonly name: string
  readonly description: string
  readonly version: string
  readonly supportedInterfaces: readonly AgentInterface[]
  readonly capabilities: {
    readonly streaming?: boolean
    readonly pushNotifications?: boolean
    readonly extendedAgentCard?: boolean
    readonly extensions?: readonly AgentExtension[]
  }
  readonly defaultInputModes: readonly string[]
  readonly defaultOutputModes: readonly string[]
  readonly skills: readonly AgentSkill[]
  readonly provider?: { readonly organization: string; readonly url: string }
  readonly documentationUrl?: string
  readonly iconUrl?: string
  readonly securitySchemes?: JsonRecord
  readonly securityRequirements?: readonly JsonRecord[]
  readonly signatures?: readonly CardSignature[]
}

/** A detached JWS over the card without `signatures` (spec a2a 2.8). */
export interface CardSignature {
  readonly protected: string
  readonly signature: string
  readonly header?: JsonRecord
}

const TERMINAL: readonly TaskState[] = [
  'TASK_STATE_COMPLETED',
  'TASK_STATE_FAILED',
  'TASK_STATE_CANCELED',
  'TASK_STATE_REJECTED',
]

/** It takes nothing more. */
export const isTerminal = (state: TaskState): boolean => TERMINAL.includes(state)

/** It waits for the caller. */
export const isInterrupted = (state: TaskState): boolean =>
  state === 'TASK_STATE_INPUT_REQUIRED' || state === 'TASK_STATE_AUTH_REQUIRED'
