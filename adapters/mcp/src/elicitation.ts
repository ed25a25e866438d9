/** Approval through the host, where it can ask its human: MCP elicitation, of 2025 and of 2026 alike (spec frameworks 8). */
import type { ApprovalRequest, HumanAnswer } from '@aetherkit/tools'
import {
  CLIENT_CAPABILITIES_META_KEY,
  type ClientCapabilities,
  type InputRequiredResult,
  inputRequired,
  inputResponse,
  isSpecType,
  type McpServer,
  type ServerContext,
} from '@modelcontextprotocol/server'

export interface Elicitation {
  readonly ask: (request: ApprovalRequest, questionId: string) => HumanAnswer
  /** What the call returns when a question is open: the host asks, and calls again with the answer. */
  question(): InputRequiredResult | undefined
}

export function createElicitation(server: McpServer, { mcpReq }: ServerContext, isOn: boolean): Elicitation {
  let open: InputRequiredResult | undefined
  return {
    ask({ text }, questionId) {
      const answer = inputResponse(mcpReq.inputResponses, questionId)
      if (answer.kind === 'elicit')
        return answer.action === 'accept' && answer.content?.approve === true ? 'approved' : 'denied'
      if (!isOn || !canAsk(server, mcpReq)) return 'nobody'
      open = inputRequired({ inputRequests: { [questionId]: inputRequired.elicit(form(text)) } })
      return 'unasked'
    },
    question: () => open,
  }
}

/** What the client can do comes with each request, or came with the first. `{}` is the form of the first versions. */
function canAsk({ server }: McpServer, { envelope = {} }: ServerContext['mcpReq']): boolean {
  const stated: unknown = Reflect.get(envelope, CLIENT_CAPABILITIES_META_KEY)
  const capabilities = isSpecType.ClientCapabilities(stated)
    ? (stated as ClientCapabilities)
    : server.getClientCapabilities()
  const { elicitation } = capabilities ?? {}
  return elicitation !== undefined && (elicitation.form !== undefined || elicitation.url === undefined)
}

function form(text: string) {
  const approve = { type: 'boolean' as const, title: 'Approve', description: text }
  return {
    mode: 'form' as const,
    message: text,
    requestedSchema: { type: 'object' as const, properties: { approve }, required: ['approve'] },
  }
}
