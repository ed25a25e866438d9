/** A LangGraph store on Aether state: translates, the documents of `@aetherkit/client` decide (spec aether 2.1). */
import {
  type DocumentIndex,
  type Documents,
  openDocuments,
  openState,
  type StateClient,
  type StateOptions,
  type StoredDocument,
} from '@aetherkit/client'
import {
  BaseStore,
  type Item,
  type Operation,
  type OperationResults,
  type SearchItem,
} from '@langchain/langgraph-checkpoint'

export interface AetherStoreOptions extends StateOptions {
  /** For `search` with a `query`; LangGraph's IndexConfig fits. Without it such a search is refused, STATE_NO_INDEX. */
  index?: DocumentIndex
}

/**
 * Items as events that only `signer` can read: the memory of all threads. Writes are durable when they resolve.
 * @throws as `openState`.
 */
export class AetherStore extends BaseStore {
  readonly #documents: Documents

  constructor(client: StateClient, { index, ...options }: AetherStoreOptions) {
    super()
    const state = openState(client, { space: 'langgraph-store', ...options })
    this.#documents = openDocuments(state, { index })
  }

  /** As `InMemoryStore`: what a batch reads is from before it, and of two writes of one key the last counts. */
  async batch<Op extends Operation[]>(operations: Op): Promise<OperationResults<Op>> {
    const results = await Promise.all(operations.map((operation) => this.#read(operation)))
    const puts = operations.filter((operation) => 'value' in operation)
    await this.#documents.putAll(
      puts.map(({ namespace, key, value, index }) => ({ folder: namespace, key, value, fields: index })),
    )
    return results as OperationResults<Op>
  }

  async #read(operation: Operation): Promise<Item | SearchItem[] | string[][] | null> {
    if ('value' in operation) return null
    if ('namespacePrefix' in operation) {
      const { namespacePrefix, ...search } = operation
      return (await this.#documents.search(namespacePrefix, search)).map(toItem)
    }
    if ('namespace' in operation) {
      const found = await this.#documents.get(operation.namespace, operation.key)
      return found === undefined ? null : toItem(found)
    }
    const { matchConditions, ...search } = operation
    return this.#documents.folders({ ...search, matches: matchConditions })
  }
}

function toItem({ folder, ...rest }: StoredDocument): SearchItem {
  return { ...rest, namespace: [...folder] }
}
