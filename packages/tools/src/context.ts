/** The context of the Aether tools: one connected client, whose key is the agent's identity. */
import type { Client } from '@aetherkit/client'
import { type CallJournal, createJournal } from './call-journal.js'
import type { ApprovalRequest, ToolContext } from './tool-definition.js'

export interface AetherContext extends ToolContext {
  readonly client: Client
}

export interface AetherContextOptions {
  /** By default one in memory for each client, shared by all tool sets made over it. */
  readonly journal?: CallJournal
  readonly approve?: (request: ApprovalRequest) => boolean | Promise<boolean>
}

const journals = new WeakMap<Client, CallJournal>()

/** A context over `client`; making it again for each request keeps the journal. */
export function aetherContext(client: Client, options: AetherContextOptions = {}): AetherContext {
  const { journal = journalOf(client), approve } = options
  return { client, journal, ...(approve === undefined ? {} : { approve }) }
}

function journalOf(client: Client): CallJournal {
  const journal = journals.get(client) ?? createJournal()
  journals.set(client, journal)
  return journal
}
