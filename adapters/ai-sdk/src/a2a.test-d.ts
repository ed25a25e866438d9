/** What both majors of `ai` take and give at the A2A side; checked by `tsc`, nothing here runs. */
import * as ai6 from 'ai'
import * as ai7 from 'ai7'
import { describe, expectTypeOf, it } from 'vitest'
import { type AgentModel, type AiAgent, aiSdkExecutor, serveAgent } from './a2a.js'
import type { AetherChatTransport, UiChunk } from './chat.js'

declare const agent6: ai6.ToolLoopAgent
declare const agent7: ai7.ToolLoopAgent
declare const any6: ai6.Agent
declare const any7: ai7.Agent
declare const model: AgentModel
declare const transport: AetherChatTransport

describe('the types of the A2A side', () => {
  it('takes agents of both majors', () => {
    expectTypeOf(agent6).toExtend<AiAgent>()
    expectTypeOf(agent7).toExtend<AiAgent>()
    expectTypeOf(any6).toExtend<AiAgent>()
    expectTypeOf(any7).toExtend<AiAgent>()
  })

  it('takes functions around streamText of both majors', () => {
    aiSdkExecutor((call) => ai6.streamText({ model, ...call }))
    aiSdkExecutor(({ messages, abortSignal }) => ai7.streamText({ model, messages, abortSignal }))
    void serveAgent(agent6, { a2a: { card: { name: 'A', description: 'B' }, port: 0 } })
  })

  it('gives a language model of both majors', () => {
    expectTypeOf(model).toExtend<ai6.LanguageModel>()
    expectTypeOf(model).toExtend<ai7.LanguageModel>()
  })

  it('gives a chat transport of both majors', () => {
    expectTypeOf(transport).toExtend<ai6.ChatTransport<ai6.UIMessage>>()
    expectTypeOf(transport).toExtend<ai7.ChatTransport<ai7.UIMessage>>()
    expectTypeOf<UiChunk>().toExtend<ai6.UIMessageChunk>()
    expectTypeOf<UiChunk>().toExtend<ai7.UIMessageChunk>()
  })
})
