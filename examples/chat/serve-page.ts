/** The page, bundled and served on this machine. */
import { readFile } from 'node:fs/promises'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { fileURLToPath } from 'node:url'
import { build } from 'esbuild'

const here = (name: string) => fileURLToPath(new URL(name, import.meta.url))

export async function servePage(config: {
  readonly relay: string
  readonly agent: string
  readonly name: string
}) {
  const bundle = await build({
    entryPoints: [here('page.ts')],
    bundle: true,
    minify: true,
    write: false,
    platform: 'browser',
    format: 'esm',
    target: 'es2022',
    define: { 'process.env.NODE_ENV': '"production"' },
    logLevel: 'error',
  })
  const files: Record<string, readonly [type: string, body: string]> = {
    '/': ['text/html; charset=utf-8', await readFile(here('index.html'), 'utf8')],
    '/page.js': ['text/javascript', bundle.outputFiles[0]?.text ?? ''],
    '/config.json': ['application/json', JSON.stringify(config)],
  }
  const server = createServer(({ url = '/' }, response) => {
    const file = files[url.replace(/\?.*$/, '')]
    response
      .writeHead(file ? 200 : 404, { 'content-type': file?.[0] ?? 'text/plain' })
      .end(file?.[1] ?? 'not found')
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/`,
    close: () => new Promise<void>((resolve) => server.close(() => resolve())),
  }
}
