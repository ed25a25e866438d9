/** Spans of publishes, recorded by a provider of a few lines behind the real OpenTelemetry API. */

import { createRelay, openTelemetryTracer, type TracingApi } from '@aetherkit/relay'
import { type Context, context, ROOT_CONTEXT, type Span, type SpanOptions, trace } from '@opentelemetry/api'
import { expect, test } from 'vitest'
import { createAuthor } from '../test/signing.js'

const author = createAuthor()

interface Recorded {
  readonly name: string
  readonly parent: string | undefined
  readonly attributes: Record<string, unknown>
  status?: unknown
  isEnded: boolean
}

/** `@opentelemetry/api` with a tracer that remembers. */
function recorder(isRecording = true): { api: TracingApi; spans: Recorded[] } {
  const spans: Recorded[] = []
  const startSpan = (
    name: string,
    { attributes = {} }: SpanOptions = {},
    within: Context = ROOT_CONTEXT,
  ): Span => {
    const parent = trace.getSpan(within)?.spanContext().spanId
    const recorded: Recorded = { name, parent, attributes: { ...attributes }, isEnded: false }
    const spanId = String(spans.push(recorded)).padStart(16, '0')
    const span: Span = Object.assign(
      trace.wrapSpanContext({ traceId: '0'.repeat(31).concat('1'), spanId, traceFlags: 1 }),
      {
        isRecording: () => isRecording,
        setAttribute(key: string, value: unknown) {
          recorded.attributes[key] = value
          return span
        },
        setStatus(status: unknown) {
          recorded.status = status
          return span
        },
        end() {
          recorded.isEnded = true
        },
      },
    )
    return span
  }
  const setSpan = (within: Context, span: Span) => trace.setSpan(within, span)
  return { api: { trace: { getTracer: () => ({ startSpan }), setSpan }, context }, spans }
}

test('a publish is a span with a child for each stage, with its verdict and nothing of its content', async () => {
  const { api, spans } = recorder()
  const relay = await createRelay({ verifyWorkers: 1, tracer: openTelemetryTracer(api, '1') })
  await relay.publish(author.sign({ kind: 7, content: 'secret' }))
  await relay.close()
  expect(spans.map(({ name }) => name)).toEqual(['publish', 'admit', 'verify', 'commit', 'deliver'])
  expect(spans.every(({ isEnded }) => isEnded)).toBe(true)
  expect(spans.slice(1).map(({ parent }) => parent)).toEqual(Array(4).fill('0000000000000001'))
  expect(spans[0]?.attributes).toEqual({ 'aether.kind': 7, 'aether.verdict': 'stored' })
  expect(JSON.stringify(spans)).not.toContain('secret')
})

test('a refusal ends the span in its stage, marked as an error with the code', async () => {
  const { api, spans } = recorder()
  const asyncPolicies = [{ judge: async () => undefined }]
  const relay = await createRelay({ verifyWorkers: 1, asyncPolicies, tracer: openTelemetryTracer(api, '1') })
  await relay.publish({ ...author.sign(), sig: author.sign().sig })
  expect(spans.map(({ name }) => name)).toEqual(['publish', 'admit', 'verify'])
  expect(spans[0]).toMatchObject({ status: { code: 2, message: 'invalid_signature' }, isEnded: true })
  spans.length = 0
  await relay.publish(author.sign())
  await relay.close()
  expect(spans.map(({ name }) => name)).toEqual(['publish', 'admit', 'verify', 'judge', 'commit', 'deliver'])
})

test('without a provider that records there is one span and no children', async () => {
  const { api, spans } = recorder(false)
  const relay = await createRelay({ verifyWorkers: 1, tracer: openTelemetryTracer(api, '1') })
  expect(await relay.publish(author.sign())).toMatchObject({ status: 'stored' })
  await relay.close()
  expect(spans.map(({ name }) => name)).toEqual(['publish'])
})
