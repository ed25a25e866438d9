/**
 * LangGraph memory on Aether: `AetherSaver` for a thread's checkpoints, `AetherStore` for what outlives threads. An entry
 * point of its own, so that who uses neither needs no `@langchain/langgraph-checkpoint`.
 */
export { AetherSaver, type AetherSaverOptions } from './saver.js'
export { AetherStore, type AetherStoreOptions } from './store.js'
