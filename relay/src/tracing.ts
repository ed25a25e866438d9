/**
 * OpenTelemetry spans of publishes: `publish` with a child for each stage, `admit`, `verify`, `judge`, `commit`,
 * `deliver`. The API is an optional peer dependency; without it, or without a tracer provider, nothing is made.
 */

import type { Reject } from '@aetherkit/core'
import type { Context, Span, SpanOptions } from '@opentelemetry/api'
import type { Accepted } from './commit.js'

export type PublishStage = 'admit' | 'verify' | 'judge' | 'commit' | 'deliver'

export interface Tracer {
  /** Begins the span of one publish, in its first stage; undefined when nobody records it. */
  publish(kind: number): PublishSpan | undefined
}

export interface PublishSpan {
  /** The stage under way is over, this one begins. */
  next(stage: PublishStage): void
  /** The verdict is known; what follows is delivery. */
  settled(verdict: Accepted | Reject): void
  end(): void
}

/** The part of `@opentelemetry/api` that is used. */
export interface TracingApi {
  readonly trace: {
    getTracer(
      name: string,
      version?: string,
    ): { startSpan(name: string, options?: SpanOptions, context?: Context): Span }
    setSpan(context: Context, span: Span): Context
  }
  readonly context: { active(): Context }
}

const ERROR = 2

/** Undefined where `@opentelemetry/api` is not installed. */
export async function loadTracer(version: string): Promise<Tracer | undefined> {
  try {
    return openTelemetryTracer(await import('@opentelemetry/api'), version)
  } catch {
    return undefined
  }
}

export function openTelemetryTracer(api: TracingApi, version: string): Tracer {
  const tracer = api.trace.getTracer('@aetherkit/relay', version)
  return {
    publish(kind) {
      const root = tracer.startSpan('publish', { attributes: { 'aether.kind': kind } })
      if (!root.isRecording()) return undefined
      const within = api.trace.setSpan(api.context.active(), root)
      return new StagedSpan(root, (stage) => tracer.startSpan(stage, {}, within))
    },
  }
}

class StagedSpan implements PublishSpan {
  readonly #root: Span
  readonly #start: (stage: PublishStage) => Span
  #stage: Span

  constructor(root: Span, start: (stage: PublishStage) => Span) {
    this.#root = root
    this.#start = start
    this.#stage = start('admit')
  }

  next(stage: PublishStage): void {
    this.#stage.end()
    this.#stage = this.#start(stage)
  }

  settled(verdict: Accepted | Reject): void {
    this.#root.setAttribute('aether.verdict', verdict.ok ? verdict.status : verdict.code)
    if (verdict.ok) this.next('deliver')
    else this.#root.setStatus({ code: ERROR, message: verdict.code })
  }

  end(): void {
    this.#stage.end()
    this.#root.end()
  }
}
