export { canonicalJson } from './canonical-json.js'
export {
  type CapabilityToken,
  type Caveats,
  readCaveats,
  readToken,
  type SignTokenOptions,
  signToken,
  tokenId,
  verifyToken,
} from './capability.js'
export {
  type CapabilityCheck,
  capabilityCovers,
  enforceCapability,
  memoryUsage,
  type UsageCounter,
} from './capability-chain.js'
export { codeByNumber, isRejectCode, REJECTS, type Reject, type RejectCode, reject } from './codes.js'
export { GCounter } from './crdt/g-counter.js'
export { LWWRegister } from './crdt/lww-register.js'
export { ORSet } from './crdt/or-set.js'
export { PNCounter } from './crdt/pn-counter.js'
export {
  type Event,
  type EventTemplate,
  type Tag,
  type UnsignedEvent,
  VerifiedEvent,
  verify,
} from './event.js'
export { type EventJsonOptions, readEvent, readInteger, writeEvent } from './event-json.js'
export { type Filter, matches, wantsReplay } from './filter.js'
export { type CompiledFilter, compileFilter, type TagValues, tagValues } from './filter-compile.js'
export { readFilter } from './filter-read.js'
export { writeFilter } from './filter-write.js'
export { fromHex, parseHex, toHex } from './hex.js'
export { blake3, canonicalBytes, eventId } from './id.js'
export { type Invoice, readInvoice, writeInvoice } from './invoice.js'
export {
  hasDuplicateKeys,
  isJsonObject,
  JsonFraction,
  type JsonObject,
  type JsonValue,
  parseJson,
  writeJson,
} from './json.js'
export {
  type KeyFamily,
  type KeyTextOptions,
  readPublicKey,
  readSecretKey,
  writePublicKey,
  writeSecretKey,
} from './keys.js'
export {
  isEphemeral,
  isImmutable,
  isParameterized,
  isRegular,
  isReplaceable,
  type KindClass,
  kindClass,
  replaceKey,
  supersedes,
  tagValue,
} from './kind.js'
export { canonicalSize, checkLimits, DEFAULT_LIMITS, type EventLimits } from './limits.js'
export {
  LegacyNoise,
  type LegacyNoiseOptions,
  type NoiseRole,
  readNoiseFrame,
  readNoisePayload,
  writeNoiseFrame,
} from './noise-legacy.js'
export { NoiseTransport } from './noise-transport.js'
export { NoiseXX, type NoiseXXOptions, noiseXXPrologue } from './noise-xx.js'
export { leadingZeroBits, type MineOptions, meetsDifficulty, mine, mineContentLegacy } from './pow.js'
export { type OpenOptions, open, type SealOptions, seal, sealedLength } from './sealed.js'
export {
  completeTemplate,
  createClock,
  generateSecretKey,
  publicKeyOf,
  signDigest,
  signEvent,
  verifyDigest,
} from './sign.js'
export { decodeFrame } from './wire/decode-frame.js'
export { encodeFrame } from './wire/encode-frame.js'
export { decodeBinary, decodeEnvelope, encodeEnvelope } from './wire/envelope.js'
export { decodeEvent, encodeEvent } from './wire/event-buffer.js'
export type { Frame, FrameLimits, FrameReject } from './wire/frame.js'
export { type Delivery, encodeAccepted, encodeDeliver, STATUSES, type Status } from './wire/frame-buffer.js'
export { isMailboxName, MAX_SEQS, type MailboxTerms } from './wire/mailbox-message.js'
export type { ClientMessage, MessageReject, ReadOptions, RelayMessage } from './wire/message.js'
export { readMessage } from './wire/read-message.js'
export { readRelayMessage } from './wire/read-relay-message.js'
export { type BufferLimits, MAX_FRAME } from './wire/verify-buffer.js'
export { writeEventMessage, writeMessage } from './wire/write-message.js'
export { type ExchangeKeys, exchangeKeys } from './x25519.js'
