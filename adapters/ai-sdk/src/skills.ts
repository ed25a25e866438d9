/** The skills of a card from an agent's tools (spec a2a 8.2). */
import type { AgentOptions } from '@aetherkit/a2a'
import type { AiAgent } from './ai-agent.js'

type Skills = AgentOptions['card']['skills']

/** One for each tool, and one for the agent where it has none. */
export function skillsOfTools(
  agent: AiAgent,
  card: { readonly name: string; readonly description: string },
): Skills {
  const tools = Object.entries((typeof agent === 'function' ? undefined : agent.tools) ?? {})
  if (tools.length === 0) return [{ id: 'chat', name: card.name, description: card.description }]
  return tools.map(([id, tool]) => ({
    id,
    name: titleOf(tool) ?? id,
    description: descriptionOf(tool) ?? id,
  }))
}

const titleOf = (tool: unknown): string | undefined => textOf(tool, 'title')
const descriptionOf = (tool: unknown): string | undefined => textOf(tool, 'description')

function textOf(tool: unknown, key: string): string | undefined {
  const value: unknown = typeof tool === 'object' && tool !== null ? Reflect.get(tool, key) : undefined
  return typeof value === 'string' && value !== '' ? value : undefined
}
