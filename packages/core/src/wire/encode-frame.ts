/** Writing the frames of `aether.v2` (spec 5.2). */
import { Builder, type Offset } from 'flatbuffers'
import { AuthChallenge } from '../generated/auth-challenge.js'
import { Body } from '../generated/body.js'
import { Bytes32 } from '../generated/bytes32.js'
import { Closed } from '../generated/closed.js'
import { End } from '../generated/end.js'
import { Frame as FrameTable } from '../generated/frame.js'
import { Hello } from '../generated/hello.js'
import { Rejected } from '../generated/rejected.js'
import { Subscribe } from '../generated/subscribe.js'
import { Subscribed } from '../generated/subscribed.js'
import { Unsubscribe } from '../generated/unsubscribe.js'
import { Welcome } from '../generated/welcome.js'
import { fromHex } from '../hex.js'
import { writeText, writeTexts } from './buffer-fields.js'
import { writeFilterTable } from './filter-buffer.js'
import type { Frame } from './frame.js'
import { encodeAccepted, encodeDeliverEvent, encodeEventFrame, u32 } from './frame-buffer.js'
import { buildMailboxFrame } from './mailbox-frame.js'

/** The frames that the generated builder writes. */
type BuiltFrame = Exclude<Frame, { type: 'publish' | 'auth' | 'accepted' | 'deliver' }>

/**
 * One frame as the bytes of one binary message. Equal frames have equal bytes.
 * @throws TypeError or RangeError for a field that does not fit: wrong hex, text that is not well-formed Unicode, a
 * number out of range.
 */
export function encodeFrame(frame: Frame): Uint8Array {
  switch (frame.type) {
    case 'deliver':
      return encodeDeliverEvent(frame, frame.event)
    case 'publish':
      return encodeEventFrame(Body.Publish, frame.event)
    case 'accepted':
      return encodeAccepted(frame.id, frame.status, frame.seq)
    case 'auth':
      return encodeEventFrame(Body.Auth, frame.event)
    default:
      return buildFrame(frame)
  }
}

function buildFrame(frame: BuiltFrame): Uint8Array {
  const builder = new Builder(256)
  const [type, body] = buildBody(builder, frame)
  FrameTable.finishFrameBuffer(builder, FrameTable.createFrame(builder, type, body))
  return new Uint8Array(builder.asUint8Array())
}

function buildBody(builder: Builder, frame: BuiltFrame): [Body, Offset] {
  switch (frame.type) {
    case 'hello': {
      const features = Hello.createFeaturesVector(builder, writeTexts(builder, frame.features, 'feature'))
      return [Body.Hello, Hello.createHello(builder, u32(frame.version, 'version'), features)]
    }
    case 'welcome': {
      const features = Welcome.createFeaturesVector(builder, writeTexts(builder, frame.features, 'feature'))
      const epoch = writeText(builder, frame.epoch, 'epoch')
      const version = u32(frame.version, 'version')
      const maxFrame = u32(frame.maxFrame, 'maxFrame')
      return [Body.Welcome, Welcome.createWelcome(builder, version, features, maxFrame, epoch)]
    }
    case 'rejected':
      return [Body.Rejected, buildRejected(builder, frame)]
    case 'subscribe': {
      const tables = frame.filters.map((filter) => writeFilterTable(builder, filter))
      const filters = Subscribe.createFiltersVector(builder, tables)
      const after = optionalText(builder, frame.after, 'after')
      return [Body.Subscribe, Subscribe.createSubscribe(builder, u32(frame.sub, 'sub'), filters, after)]
    }
    case 'subscribed':
      return [Body.Subscribed, Subscribed.createSubscribed(builder, u32(frame.sub, 'sub'), frame.gap)]
    case 'unsubscribe':
      return [Body.Unsubscribe, Unsubscribe.createUnsubscribe(builder, u32(frame.sub, 'sub'))]
    case 'end': {
      const cursor = optionalText(builder, frame.cursor, 'cursor')
      return [Body.End, End.createEnd(builder, u32(frame.sub, 'sub'), cursor)]
    }
    case 'closed': {
      const message = writeText(builder, frame.message, 'message')
      return [
        Body.Closed,
        Closed.createClosed(builder, u32(frame.sub, 'sub'), rejectNumber(frame.code), message),
      ]
    }
    case 'authChallenge': {
      const challenge = writeText(builder, frame.challenge, 'challenge')
      return [Body.AuthChallenge, AuthChallenge.createAuthChallenge(builder, challenge)]
    }
    default:
      return buildMailboxFrame(builder, frame)
  }
}

function buildRejected(builder: Builder, frame: Extract<Frame, { type: 'rejected' }>): Offset {
  const message = writeText(builder, frame.message, 'message')
  const id = frame.id === undefined ? undefined : fromHex(frame.id)
  if (id !== undefined && id.length !== 32) throw new TypeError(`id must be 32 bytes of hex, got ${frame.id}`)
  Rejected.startRejected(builder)
  if (id !== undefined) Rejected.addId(builder, Bytes32.createBytes32(builder, [...id]))
  Rejected.addCode(builder, rejectNumber(frame.code))
  Rejected.addMessage(builder, message)
  if (frame.retryAfterMs !== undefined) {
    Rejected.addRetryAfterMs(builder, u32(frame.retryAfterMs, 'retryAfterMs'))
  }
  return Rejected.endRejected(builder)
}

/** Offset 0 leaves the field out. */
function optionalText(builder: Builder, text: string | undefined, what: string): Offset {
  return text === undefined ? 0 : writeText(builder, text, what)
}

function rejectNumber(code: number): number {
  if (!Number.isInteger(code) || code < 0 || code > 0xffff) {
    throw new RangeError(`code must be 0 to 65535, got ${code}`)
  }
  return code
}
