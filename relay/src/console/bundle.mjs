/**
 * Writes generated/script.ts from page/*.ts: the script of the console, bundled and small.
 *
 *   node relay/src/console/bundle.mjs           write
 *   node relay/src/console/bundle.mjs --check   write nothing, exit 1 when what is there differs
 */
import { mkdir, readFile, writeFile } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import { build } from 'esbuild'

const OUTPUT = new URL('generated/script.ts', import.meta.url)

const wanted = `/** Made by console/bundle.mjs from console/page: do not edit. */
export const CONSOLE_SCRIPT = ${JSON.stringify(await bundle())}
`
const present = await readFile(OUTPUT, 'utf8').catch(() => '')
if (process.argv.includes('--check')) {
  if (present !== wanted) {
    console.error(
      'console/generated/script.ts differs from console/page. Run: node relay/src/console/bundle.mjs',
    )
    process.exit(1)
  }
  console.log('console/generated/script.ts matches console/page')
} else {
  await mkdir(new URL('./', OUTPUT), { recursive: true })
  await writeFile(OUTPUT, wanted)
  console.log(`${wanted.length} characters${present === wanted ? ', unchanged' : ''}`)
}

async function bundle() {
  const { outputFiles } = await build({
    entryPoints: [fileURLToPath(new URL('page/main.ts', import.meta.url))],
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
