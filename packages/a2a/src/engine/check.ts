/** The limits on one message and the media types an agent takes and gives (spec a2a 2.5, 7.6). */
import { Buffer } from 'node:buffer'
import { A2AError, type FieldViolation } from '../errors.js'
import type { Limits } from '../limits.js'
import type { Json, Message, Part, SendMessageRequest } from '../model.js'
import { checkHistoryLength } from './view.js'

/** Characters of an id that a caller makes. */
const MAX_ID = 256

export interface Modes {
  readonly input: readonly string[] | undefined
  readonly output: readonly string[] | undefined
}

/** @throws A2AError INVALID_PARAMS, CONTENT_TYPE_NOT_SUPPORTED */
export function checkSend(
  { message, configuration, metadata }: SendMessageRequest,
  limits: Limits,
  modes: Modes,
): void {
  checkHistoryLength(configuration?.historyLength, 'configuration.historyLength')
  const violations = [...violationsOf(message, limits), ...metadataViolations('metadata', metadata, limits)]
  if (violations.length > 0) throw new A2AError('INVALID_PARAMS', violations[0]?.description, { violations })
  const accepted = configuration?.acceptedOutputModes ?? []
  const { input, output } = modes
  if (output && accepted.length > 0 && !accepted.some((mode) => output.some((own) => overlap(mode, own)))) {
    throw new A2AError('CONTENT_TYPE_NOT_SUPPORTED', 'None of the accepted output modes is offered')
  }
  for (const part of message.parts) {
    const type = mediaTypeOf(part)
    if (input && type !== undefined && !input.some((own) => overlap(type, own))) {
      throw new A2AError('CONTENT_TYPE_NOT_SUPPORTED', 'A part has a media type that is not taken')
    }
  }
}

function* violationsOf(message: Message, limits: Limits): Generator<FieldViolation> {
  const { messageId, contextId, taskId, parts, metadata, extensions = [], referenceTaskIds = [] } = message
  for (const [name, id] of Object.entries({ messageId, contextId, taskId })) {
    if (id !== undefined && (id === '' || id.length > MAX_ID)) {
      yield { field: `message.${name}`, description: `Must have 1 to ${MAX_ID} characters` }
    }
  }
  if (parts.length > limits.partsPerMessage) {
    yield { field: 'message.parts', description: `At most ${limits.partsPerMessage} parts` }
  }
  if (extensions.length > limits.extensions) {
    yield { field: 'message.extensions', description: `At most ${limits.extensions} extensions` }
  }
  if (referenceTaskIds.length > limits.referenceTaskIds) {
    yield { field: 'message.referenceTaskIds', description: `At most ${limits.referenceTaskIds} tasks` }
  }
  yield* metadataViolations('message.metadata', metadata, limits)
  for (const [at, part] of parts.entries()) {
    const field = `message.parts[${at}]`
    if (part.text !== undefined && Buffer.byteLength(part.text) > limits.textPartBytes) {
      yield { field: `${field}.text`, description: `At most ${limits.textPartBytes} bytes` }
    }
    yield* metadataViolations(`${field}.metadata`, part.metadata, limits)
  }
}

function* metadataViolations(
  field: string,
  value: Json | undefined,
  limits: Limits,
): Generator<FieldViolation> {
  if (value === undefined) return
  if (isDeeper(value, limits.metadataDepth)) {
    yield { field, description: `Nested deeper than ${limits.metadataDepth}` }
  } else if (Buffer.byteLength(JSON.stringify(value)) > limits.metadataBytes) {
    yield { field, description: `At most ${limits.metadataBytes} bytes` }
  }
}

function isDeeper(value: Json | undefined, depth: number): boolean {
  if (typeof value !== 'object' || value === null) return false
  return depth === 0 || Object.values(value).some((inner) => isDeeper(inner, depth - 1))
}

/** Of a file without one nothing is known. */
const mediaTypeOf = ({ text, data, mediaType }: Part): string | undefined =>
  mediaType ?? (text !== undefined ? 'text/plain' : data !== undefined ? 'application/json' : undefined)

/** `text/*` and `*` on either side; parameters do not count. */
function overlap(a: string, b: string): boolean {
  const [left, right] = [bare(a), bare(b)]
  if (left === right || isAny(left) || isAny(right)) return true
  const [[leftType, leftSub], [rightType, rightSub]] = [left.split('/'), right.split('/')]
  return leftType === rightType && (leftSub === '*' || rightSub === '*')
}

const bare = (type: string): string => (type.split(';')[0] ?? '').trim().toLowerCase()
const isAny = (type: string): boolean => type === '*' || type === '*/*'
