/** One operation on the engine, the same for JSON-RPC, REST and both versions: read, call, number, peek. */
import type { Call } from './call.js'
import type { Engine, Numbered } from './engine.js'
import type { Limits } from './limits.js'
import type { Json, JsonRecord } from './model.js'
import { type OperationName, operationOf } from './operations.js'
import { peek } from './peek.js'
import { asJson } from './read-fields.js'
import { numberEvent, STREAM_RESUME } from './stream-resume.js'

export type Outcome =
  | { readonly kind: 'unary'; readonly result: Json }
  | { readonly kind: 'stream'; readonly events: AsyncIterable<Numbered> }

/**
 * @param after `Last-Event-ID`: honoured for a caller who asked for the resume extension
 * @throws A2AError, for a stream as well when it is refused before its first event
 */
export async function invoke(
  name: OperationName,
  params: JsonRecord,
  call: Call,
  { engine, limits }: { readonly engine: Engine; readonly limits: Limits },
  after: number | undefined,
): Promise<Outcome> {
  const operation = operationOf(name)
  const input = { params, context: call.context, limits, after: call.resume ? after : undefined }
  if (operation.kind === 'unary')
    return { kind: 'unary', result: asJson(await operation.call(engine, input)) }
  if (!call.resume) return { kind: 'stream', events: await peek(operation.call(engine, input)) }
  call.context.activate(STREAM_RESUME)
  const events = await peek(operation.call(engine, input))
  return { kind: 'stream', events: numbered(events) }
}

async function* numbered(events: AsyncIterable<Numbered>): AsyncGenerator<Numbered> {
  for await (const item of events) yield { ...item, event: numberEvent(item) }
}
