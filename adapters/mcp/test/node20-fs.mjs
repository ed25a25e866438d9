/**
 * `--import` for `@modelcontextprotocol/conformance` on Node 20: it names `globSync` of `fs`, which came with Node 22, and
 * uses it in a command that is not run here.
 */
import { register } from 'node:module'

const shim = `export * from 'node:fs'; export { default } from 'node:fs'; export const globSync = () => []`
const hooks = `export const resolve = (name, context, next) =>
  name === 'fs' && context.parentURL?.includes('/conformance/')
    ? { url: ${JSON.stringify(`data:text/javascript,${encodeURIComponent(shim)}`)}, shortCircuit: true }
    : next(name, context)`

register(`data:text/javascript,${encodeURIComponent(hooks)}`)
