/** Where a command has come to, in a small file of JSON: always a whole one, whenever the process is killed. */
import { existsSync, readFileSync, renameSync, writeFileSync } from 'node:fs'
import { usage } from './exit.js'

/**
 * What was written there for the same purpose; undefined when there is no file yet. `about` says what it is the state
 * of: with another one it would be continued wrongly.
 * @throws CommandError usage
 */
export function readState(path: string, about: Record<string, unknown>): Record<string, unknown> | undefined {
  if (!existsSync(path)) return undefined
  let state: unknown
  try {
    state = JSON.parse(readFileSync(path, 'utf8'))
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error
  }
  if (!isRecord(state) || !isRecord(state.about)) throw usage(`${path} is no cursor file`)
  for (const key of new Set([...Object.keys(about), ...Object.keys(state.about)])) {
    if (state.about[key] !== about[key])
      throw usage(
        `${path} is of another ${key}: ${JSON.stringify(state.about[key])}; remove it to begin anew`,
      )
  }
  return state
}

/** Replaces the file as a whole. */
export function writeState(
  path: string,
  about: Record<string, unknown>,
  state: Record<string, unknown>,
): void {
  const next = `${path}.next`
  writeFileSync(next, `${JSON.stringify({ about, ...state })}\n`)
  renameSync(next, path)
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
