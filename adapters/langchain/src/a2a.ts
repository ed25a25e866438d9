/** LangGraph graphs as A2A agents. An entry point of its own, so that who has no graph needs no `@langchain/langgraph`. */
export { type LangGraphExecutorOptions, langgraphExecutor, type StreamableGraph } from './executor.js'
