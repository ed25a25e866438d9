#!/usr/bin/env node
/** The binary `aether`. */
import { runProgram } from './program.js'

await runProgram(process.argv.slice(2))
