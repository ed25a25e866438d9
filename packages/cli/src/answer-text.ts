/** The answer of a call, for people: text as it is, anything else as JSON, on lines of their own. */
import { visibleLines } from './visible.js'

/** A terminal is not let at by strangers; a pipe gets every byte. */
export function answerText(answer: unknown): string {
  const text = typeof answer === 'string' ? answer : JSON.stringify(answer, undefined, 2)
  const shown = process.stdout.isTTY ? visibleLines(text) : text
  return shown.endsWith('\n') ? shown : `${shown}\n`
}
