/**
 * Tool definitions as LangChain tools (spec frameworks 5 and 6). No decision is taken here: `runTool` has the policy.
 */

import {
  type AetherContext,
  type AetherContextOptions,
  type AnyTool,
  aetherContext,
  aetherTools as definitions,
  errorText,
  type Json,
  modelParts,
  type OnBug,
  runAsking,
  type ToolContext,
  toolName,
} from '@aetherkit/tools'
import { ToolMessage } from '@langchain/core/messages'
import type { RunnableConfig } from '@langchain/core/runnables'
import {
  BaseToolkit,
  DynamicStructuredTool,
  type StructuredToolInterface,
  ToolInputParsingException,
} from '@langchain/core/tools'
import { toContent } from './content.js'

export { interruptOn, type ToolGate } from './interrupt-on.js'

export interface LangChainToolOptions {
  /** Put before every tool name; give the same to `interruptOn`. */
  prefix?: string
  /** Receives the full error where the model is told `INTERNAL`; standard error by default. */
  onBug?: OnBug
  /**
   * Questions of other agents pause the graph: `interrupt(question)`, resumed with the human's answer. Needs a
   * checkpointer; without this the model gets the question.
   */
  interrupt?: boolean
}

/** The part of a `createAgent` runtime that a tool uses; a direct `invoke` has none of it. */
interface ToolConfig extends RunnableConfig {
  toolCall?: { id?: string }
  toolCallId?: string
  writer?: (chunk: unknown) => void
  interrupt?: (question: Json) => Json
}

/** One LangChain tool per definition, bound to `ctx`; cheap enough to be made per request or tenant. */
export function toLangChainTools<C extends ToolContext>(
  tools: readonly AnyTool<C>[],
  ctx: C,
  options: LangChainToolOptions = {},
): StructuredToolInterface[] {
  return tools.map((definition) => toLangChainTool(definition, ctx, options))
}

/** The Aether tools: publish, query, wait, request, discover, advertise, state. */
export function aetherTools(
  client: AetherContext['client'],
  options: LangChainToolOptions & AetherContextOptions = {},
): StructuredToolInterface[] {
  return toLangChainTools(definitions, aetherContext(client, options), options)
}

export class AetherToolkit extends BaseToolkit {
  tools: StructuredToolInterface[]

  constructor(client: AetherContext['client'], options: LangChainToolOptions & AetherContextOptions = {}) {
    super()
    this.tools = aetherTools(client, options)
  }
}

function toLangChainTool<C extends ToolContext>(
  definition: AnyTool<C>,
  ctx: C,
  { prefix, onBug, interrupt }: LangChainToolOptions,
): StructuredToolInterface {
  const name = toolName(definition, prefix)
  const func = async (input: unknown, _manager?: unknown, config: ToolConfig = {}) => {
    const { signal, writer } = config
    const callId = config.toolCall?.id ?? config.toolCallId
    const onProgress = (progress: unknown) => writer?.({ type: 'tool-progress', name, callId, progress })
    const ask = interrupt === true ? config.interrupt : undefined
    const outcome = await runAsking(definition, ctx, input, { signal, callId, onProgress }, ask, onBug)
    if (outcome.ok) return [toContent(modelParts(definition, outcome.output)), outcome.output]
    const content = errorText(outcome.error)
    // Returned and not thrown: a retry middleware runs thrown calls again (spec frameworks 6.2).
    if (callId === undefined) throw new Error(content)
    return [
      new ToolMessage({ status: 'error', content, tool_call_id: callId, name, artifact: outcome.error }),
      outcome.error,
    ]
  }
  const tool = new DynamicStructuredTool({
    name,
    description: definition.description,
    schema: definition.input,
    responseFormat: 'content_and_artifact',
    metadata: { annotations: definition.annotations ?? {} },
    func,
  })
  const call = tool.call.bind(tool)
  tool.call = (...args) => call(...args).catch(withoutStack)
  return tool
}

/** `createAgent` shows the model the stack of an input error, with our host's file paths (fact 8). */
function withoutStack(error: unknown): never {
  if (error instanceof ToolInputParsingException) error.stack = error.message
  throw error
}
