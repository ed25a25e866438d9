/** Epoch of a relay's sequence: random text, new whenever the sequence could restart (spec 7.4). */
import { randomInt } from 'node:crypto'

/** 16 characters `[a-z0-9]`, 82 random bits. */
export function randomEpoch(): string {
  return Array.from({ length: 16 }, () => randomInt(36).toString(36)).join('')
}
