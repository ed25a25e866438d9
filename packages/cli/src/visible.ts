/** Text of strangers on a terminal: nothing of it may move the cursor, change colours or hide what follows. */

/** Controls of C0 and C1, line and paragraph separators, and what turns the direction of writing. */
const HIDDEN = /[\p{Cc}\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ufeff]/gu
const SHORT: Readonly<Record<string, string>> = { '\n': '\\n', '\r': '\\r', '\t': '\\t' }

/** On one line, with every control character spelled out. */
export function visible(text: string): string {
  return text.replace(HIDDEN, spelled)
}

/** The same, but lines stay lines and tabs stay tabs. */
export function visibleLines(text: string): string {
  return text.replace(HIDDEN, (character) =>
    character === '\n' || character === '\t' ? character : spelled(character),
  )
}

function spelled(character: string): string {
  const code = character.charCodeAt(0)
  return SHORT[character] ?? (code < 0x100 ? `\\x${hex(code, 2)}` : `\\u${hex(code, 4)}`)
}

function hex(code: number, digits: number): string {
  return code.toString(16).padStart(digits, '0')
}
