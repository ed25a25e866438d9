/** Signed events for tests: one author, times that always rise; and the message that publishes one. */
import {
  createClock,
  type Event,
  type EventTemplate,
  generateSecretKey,
  signEvent,
  writeEvent,
  writeMessage,
} from '@aetherkit/core'

const clock = createClock()

export interface Author {
  sign(template?: Partial<EventTemplate>): Event
  /** As JSON text. */
  text(template?: Partial<EventTemplate>): string
}

export function createAuthor(key: Uint8Array = generateSecretKey()): Author {
  const sign = (template: Partial<EventTemplate> = {}) =>
    signEvent({ kind: 1, content: 'x', ...template, createdAt: template.createdAt ?? clock() }, key)
  return { sign, text: (template) => writeEvent(sign(template), { base64: true }) ?? '' }
}

export const publishing = (event: Event) => writeMessage({ type: 'publish', event })
