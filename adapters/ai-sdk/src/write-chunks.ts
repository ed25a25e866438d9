/** UI chunks as what an A2A task shows: text, files, data, and the tool at work. */
import type { AskedApproval, Execution, Json } from '@aetherkit/a2a'
import { filePart } from './message-parts.js'
import type { UiChunk } from './ui-chunk.js'
import { untilAborted } from './until-aborted.js'

export interface Written {
  readonly text: string
  readonly asked: readonly AskedApproval[]
  readonly failed: boolean
  readonly aborted: boolean
}

export async function writeChunks(
  chunks: AsyncIterable<UiChunk>,
  execution: Execution,
  {
    progress,
    observer,
  }: { readonly progress: boolean; readonly observer: { chunk(chunk: UiChunk): void } | undefined },
): Promise<Written> {
  const calls = new Map<string, { readonly tool: string; readonly input: Json }>()
  const asked: AskedApproval[] = []
  let text = ''
  let block = ''
  let failed = false
  let aborted = false
  for await (const chunk of untilAborted(chunks, execution.signal)) {
    observer?.chunk(chunk)
    switch (chunk.type) {
      case 'text-start':
        block = text === '' ? '' : '\n\n'
        break
      case 'text-delta':
        execution.write(block + chunk.delta)
        text += block + chunk.delta
        block = ''
        await execution.drained()
        break
      case 'file':
        execution.artifact({ parts: [filePart(chunk)] })
        break
      case 'tool-input-available':
        calls.set(chunk.toolCallId, { tool: chunk.toolName, input: json(chunk.input) })
        if (progress) execution.progress(`Using ${chunk.title ?? chunk.toolName}`)
        break
      case 'tool-approval-request': {
        const { tool = chunk.toolCallId, input = null } = calls.get(chunk.toolCallId) ?? {}
        asked.push({ id: chunk.approvalId, tool, input })
        break
      }
      case 'error':
        failed = true
        break
      case 'abort':
        aborted = true
        break
      default:
        if (isData(chunk) && chunk.transient !== true)
          execution.artifact({
            id: chunk.id ?? chunk.type,
            name: chunk.type,
            parts: [{ data: json(chunk.data) }],
          })
    }
  }
  return { text, asked, failed, aborted: aborted || execution.signal.aborted }
}

const isData = (chunk: UiChunk): chunk is Extract<UiChunk, { data: unknown }> =>
  chunk.type.startsWith('data-')

const json = (value: unknown): Json => JSON.parse(JSON.stringify(value ?? null))
