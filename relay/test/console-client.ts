/** A console for tests: the token that its relay was started with, and what its stream says. */
import type { EventStream } from './http-client.js'

export const ADMIN_TOKEN = 'correct-horse-battery'
export const headers = { authorization: `Bearer ${ADMIN_TOKEN}` }

/** The data of the next block of this event; those of others are passed over. */
export async function next<T>(stream: EventStream, event: string): Promise<T> {
  for (;;) {
    const block = await stream.next()
    if (block === undefined) throw new Error(`the stream ended before ${event}`)
    if (block.event === event) return JSON.parse(block.data ?? '') as T
  }
}
