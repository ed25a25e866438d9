/**
 * SendMessageRequest from the wire (spec a2a 2.4, 7.6): required members, the oneof of a part, enums and limits. Unset
 * and empty members are left out, so that two spellings of one request are one value.
 */
import { DEFAULT_LIMITS, type Limits } from './limits.js'
import type { JsonRecord, Message, Part, PushConfig, SendMessageRequest } from './model.js'
import { Fields } from './read-fields.js'

const MAX_URL = 8192
const CONTENT = ['text', 'raw', 'url', 'data'] as const
const ROLES = ['ROLE_USER', 'ROLE_AGENT'] as const
/** Standard or URL-safe alphabet, padded or not, as ProtoJSON reads bytes. */
const BASE64 = /^[A-Za-z0-9+/_-]*={0,2}$/

/** @throws A2AError INVALID_PARAMS with every violation */
export function readSendMessage(params: JsonRecord, limits = DEFAULT_LIMITS): SendMessageRequest {
  const root = new Fields(params)
  const message = root.fields('message')
  if (message === undefined && root.value('message') === undefined) root.refuse('message', 'is required')
  const configuration = root.fields('configuration')
  const request = {
    message: message === undefined ? undefined : readMessage(message, limits),
    configuration: configuration && readConfiguration(configuration),
    metadata: readMetadata(root, limits),
  }
  root.finish()
  return compact(request) as SendMessageRequest
}

function readConfiguration(fields: Fields): SendMessageRequest['configuration'] {
  const push = fields.fields('taskPushNotificationConfig')
  return compact({
    acceptedOutputModes: fields.strings('acceptedOutputModes'),
    taskPushNotificationConfig: push && readPushConfig(push),
    historyLength: fields.integer('historyLength', 0),
    returnImmediately: fields.boolean('returnImmediately') || undefined,
  })
}

function readMessage(fields: Fields, limits: Limits): Message {
  const role = fields.enumeration('role', ROLES)
  if (role === undefined && fields.value('role') === undefined) fields.refuse('role', 'is required')
  const extensions = fields.strings('extensions')
  if ((extensions?.length ?? 0) > limits.extensions)
    fields.refuse('extensions', `must have at most ${limits.extensions} items`)
  const references = fields.strings('referenceTaskIds')
  if ((references?.length ?? 0) > limits.referenceTaskIds)
    fields.refuse('referenceTaskIds', `must have at most ${limits.referenceTaskIds} items`)
  return compact({
    messageId: fields.required('messageId'),
    role: role ?? 'ROLE_USER',
    parts: readParts(fields, limits),
    contextId: fields.id('contextId'),
    taskId: fields.id('taskId'),
    metadata: readMetadata(fields, limits),
    extensions,
    referenceTaskIds: references,
  })
}

function readParts(fields: Fields, limits: Limits): readonly Part[] {
  const list = fields.list('parts')
  if (list === undefined) {
    if (fields.value('parts') === undefined) fields.refuse('parts', 'is required')
    return []
  }
  if (list.length === 0) fields.refuse('parts', 'must have at least one part')
  if (list.length > limits.partsPerMessage) {
    fields.refuse('parts', `must have at most ${limits.partsPerMessage} parts`)
    return []
  }
  return list.map((item, index) => {
    const part = fields.item('parts', index, item)
    return part === undefined ? {} : readPart(part, limits)
  })
}

/** Exactly one content; an empty text and a data of null are contents. */
function readPart(fields: Fields, limits: Limits): Part {
  const set = CONTENT.filter((name) =>
    name === 'data' ? fields.present(name) !== undefined : fields.value(name) !== undefined,
  )
  if (set.length !== 1) fields.refuse(set[1] ?? 'text', `must be the only one of ${CONTENT.join(', ')}`)
  const content: { text?: string; raw?: string; url?: string; data?: Part['data'] } = {}
  if (set[0] === 'data') content.data = fields.present('data')
  else if (set[0] !== undefined) content[set[0]] = readContent(fields, set[0], limits)
  return compact({
    ...content,
    metadata: readMetadata(fields, limits),
    filename: fields.string('filename', 1024),
    mediaType: fields.string('mediaType', 256),
  })
}

function readContent(fields: Fields, name: 'text' | 'raw' | 'url', limits: Limits): string {
  const value = fields.value(name)
  if (typeof value !== 'string') {
    fields.refuse(name, 'must be a string')
    return ''
  }
  if (name === 'text' && Buffer.byteLength(value) > limits.textPartBytes)
    fields.refuse(name, `must be at most ${limits.textPartBytes} bytes`)
  if (name === 'url' && (value.length > MAX_URL || !URL.canParse(value)))
    fields.refuse(name, `must be an absolute URL of at most ${MAX_URL} characters`)
  if (name !== 'raw') return value
  if (!BASE64.test(value)) fields.refuse(name, 'must be base64')
  return Buffer.from(value, 'base64').toString('base64')
}

/** Metadata is passed on as it is, within its bounds. */
export function readMetadata(fields: Fields, limits = DEFAULT_LIMITS): JsonRecord | undefined {
  const value = fields.record('metadata')
  if (value === undefined) return undefined
  if (depthOf(value) > limits.metadataDepth)
    fields.refuse('metadata', `must be at most ${limits.metadataDepth} levels deep`)
  else if (Buffer.byteLength(JSON.stringify(value)) > limits.metadataBytes)
    fields.refuse('metadata', `must be at most ${limits.metadataBytes} bytes`)
  return value
}

/** The body itself has a bound on its depth, so recursion has one. */
function depthOf(value: unknown): number {
  if (typeof value !== 'object' || value === null) return 0
  return 1 + Object.values(value).reduce((deepest: number, item) => Math.max(deepest, depthOf(item)), 0)
}

/** The flat TaskPushNotificationConfig; nothing of it may break a header. */
export function readPushConfig(fields: Fields): PushConfig {
  const url = fields.required('url', MAX_URL)
  if (url !== '' && !/^https?:\/\//i.test(URL.canParse(url) ? url : ''))
    fields.refuse('url', 'must be an http or https URL')
  const authentication = fields.fields('authentication')
  return compact({
    id: fields.id('id'),
    taskId: fields.id('taskId'),
    url,
    token: headerText(fields, 'token'),
    authentication:
      authentication &&
      compact({
        scheme: headerText(authentication, 'scheme') ?? authentication.required('scheme'),
        credentials: headerText(authentication, 'credentials'),
      }),
  })
}

function headerText(fields: Fields, name: string): string | undefined {
  const value = fields.string(name, 4096)
  // biome-ignore lint/suspicious/noControlCharactersInRegex: these are what would break a header
  if (value !== undefined && /[\u0000-\u001f\u007f]/.test(value))
    fields.refuse(name, 'must hold no control characters')
  return value
}

type Compact<T> = { [K in keyof T as undefined extends T[K] ? never : K]: T[K] } & {
  [K in keyof T as undefined extends T[K] ? K : never]?: Exclude<T[K], undefined>
}

/** Without the members that are undefined. */
export function compact<T extends object>(value: T): Compact<T> {
  const kept = Object.entries(value).filter(([, member]) => member !== undefined)
  return Object.fromEntries(kept) as Compact<T>
}
