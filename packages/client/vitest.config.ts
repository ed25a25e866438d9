/** Tests run the source, not the last build: `#websocket` names a file of `dist`. */
import { fileURLToPath } from 'node:url'
import { defineConfig } from 'vitest/config'

export default defineConfig({
  resolve: {
    alias: { '#websocket': fileURLToPath(new URL('src/websocket-node.ts', import.meta.url)) },
  },
})
