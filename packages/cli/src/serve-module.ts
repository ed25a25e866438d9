/** An action that is a function of a JavaScript module: the export of its name, or the default one. */
import { resolve } from 'node:path'
import { pathToFileURL } from 'node:url'
import type { CallHandler } from '@aetherkit/client'
import { usage } from './exit.js'

/** @throws CommandError usage */
export async function moduleHandler(path: string, action: string): Promise<CallHandler> {
  let loaded: Record<string, unknown>
  try {
    loaded = await import(pathToFileURL(resolve(path)).href)
  } catch (error) {
    throw usage(
      `${path} cannot be loaded: ${error instanceof Error ? error.message.split('\n')[0] : String(error)}`,
    )
  }
  const handler = Object.hasOwn(loaded, action) ? loaded[action] : loaded.default
  if (!isHandler(handler))
    throw usage(`${path} exports no function ${JSON.stringify(action)}, nor a default one`)
  return handler
}

function isHandler(value: unknown): value is CallHandler {
  return typeof value === 'function'
}
