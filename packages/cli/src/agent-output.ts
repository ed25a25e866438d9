/**
 * What an A2A agent does, as it does it: what it makes goes to standard output, what it says about it to standard error.
 * Lines of JSON are its events as A2A writes them.
 */
import type { Part, StreamResponse } from '@aetherkit/a2a/client'
import { fileText, saveFile } from './agent-files.js'
import type { Session } from './session.js'
import { visible, visibleLines } from './visible.js'

export interface AgentOutput {
  event(event: StreamResponse): Promise<void>
  /** Says something; the line that is being written stays whole. */
  note(line: string): Promise<void>
  /** Whether anything of the agent is on standard output. */
  readonly isEmpty: boolean
  /** Writes parts that no artifact has. */
  parts(parts: readonly Part[]): Promise<void>
  /** Ends the last line. */
  end(): Promise<void>
}

export function jsonOutput(session: Session, folder: string | undefined): AgentOutput {
  const files = createFiles(session, folder)
  return {
    isEmpty: true,
    async event(event) {
      if (folder !== undefined) for (const part of partsIn(event)) files.take(part)
      await session.print(
        () => event,
        () => '',
      )
    },
    note: async (line) => session.note(visible(line)),
    async parts() {},
    async end() {},
  }
}

export function textOutput(session: Session, folder: string | undefined): AgentOutput {
  const isTerminal = process.stdout.isTTY
  const files = createFiles(session, folder)
  /** What is written of each artifact. */
  const written = new Map<string, string>()
  let last: string | undefined
  let isEmpty = true
  let isMidLine = false

  const write = async (text: string): Promise<void> => {
    if (text === '') return
    isEmpty = false
    isMidLine = !text.endsWith('\n')
    // A terminal is not let at by strangers; a pipe gets every byte.
    await session.write(isTerminal ? visibleLines(text) : text)
  }
  const endLine = async () => {
    if (isMidLine) await write('\n')
  }
  const artifact = async (id: string, parts: readonly Part[], isMore: boolean): Promise<void> => {
    for (const part of parts) if (part.raw !== undefined) files.take(part)
    const before = written.get(id) ?? ''
    const text = textOf(parts, isMore ? before : '')
    const isLonger = !isMore && text.startsWith(before)
    const news = isLonger ? text.slice(before.length) : text
    if (news === '') return
    // Another artifact, or another version of one, begins on a line of its own.
    if (last !== id || !(isMore || isLonger)) await endLine()
    last = id
    written.set(id, isMore ? before + text : text)
    await write(news)
  }
  return {
    get isEmpty() {
      return isEmpty
    },
    async event(event) {
      if ('artifactUpdate' in event) {
        const { artifact: made, append } = event.artifactUpdate
        return artifact(made.artifactId, made.parts, append === true)
      }
      if ('message' in event) return artifact('', event.message.parts, false)
      if ('task' in event)
        for (const made of event.task.artifacts ?? []) await artifact(made.artifactId, made.parts, false)
    },
    async note(line) {
      if (isTerminal) await endLine()
      session.note(visible(line))
    },
    parts: (parts) => artifact('', parts, false),
    end: endLine,
  }
}

/** Text as it is, data as JSON and addresses on lines of their own; `before`: what it is written behind. */
export function textOf(parts: readonly Part[], before = ''): string {
  let all = before
  for (const part of parts) {
    if (part.text !== undefined) {
      all += part.text
      continue
    }
    const line = part.url ?? (part.data === undefined ? undefined : JSON.stringify(part.data, undefined, 2))
    if (line !== undefined) all += `${all === '' || all.endsWith('\n') ? '' : '\n'}${line}\n`
  }
  return all.slice(before.length)
}

function createFiles(session: Session, folder: string | undefined) {
  const taken = new Set<string>()
  return {
    /** Each once, however often the agent repeats it. */
    take(part: Part): void {
      const key = `${part.filename ?? ''} ${part.raw ?? ''}`
      if (part.raw === undefined || taken.has(key)) return
      taken.add(key)
      if (folder === undefined) session.note(visible(`${fileText(part)}: --save <folder> keeps it`))
      else session.note(visible(`${fileText(part)} is in ${saveFile(folder, part)}`))
    },
  }
}

function partsIn(event: StreamResponse): readonly Part[] {
  if ('artifactUpdate' in event) return event.artifactUpdate.artifact.parts
  if ('task' in event) return (event.task.artifacts ?? []).flatMap(({ parts }) => parts)
  return 'message' in event ? event.message.parts : []
}
