/**
 * Writes generated/scripts.ts from browser/*.ts: the two scripts of the page, bundled and small.
 *
 *   node packages/payments/src/page/bundle.mjs           write
 *   node packages/payments/src/page/bundle.mjs --check   write nothing, exit 1 when what is there differs
 */
import { readFile, writeFile } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import { build } from 'esbuild'

const OUTPUT = new URL('generated/scripts.ts', import.meta.url)

const wanted = `/** Made by page/bundle.mjs from page/browser: do not edit. */
export const PAGE_SCRIPT = ${JSON.stringify(await bundle('main'))}
export const TEST_WALLET_SCRIPT = ${JSON.stringify(await bundle('test-wallet'))}
`
const present = await readFile(OUTPUT, 'utf8').catch(() => '')
if (process.argv.includes('--check')) {
  if (present !== wanted) {
    console.error(
      'page/generated/scripts.ts differs from page/browser. Run: node packages/payments/src/page/bundle.mjs',
    )
    process.exit(1)
  }
  console.log('page/generated/scripts.ts matches page/browser')
} else {
  await writeFile(OUTPUT, wanted)
  console.log(`${wanted.length} characters${present === wanted ? ', unchanged' : ''}`)
}

async function bundle(name) {
  const { outputFiles } = await build({
    entryPoints: [fileURLToPath(new URL(`browser/${name}.ts`, import.meta.url))],
    bundle: true,
    write: false,
    minify: true,
    format: 'esm',
    platform: 'browser',
    target: 'es2022',
    charset: 'ascii',
    legalComments: 'none',
    // Without this the bundler would follow the compiler options of the package.
    tsconfigRaw: '{}',
  })
  const [file] = outputFiles
  // The text sits inside a script element.
  return file.text.trim().replaceAll('</', '<\\/')
}
