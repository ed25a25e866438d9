/** @aetherkit/cli: the exit codes of `aether`, for programs that run it. */
export { EXIT, type ExitName } from './exit.js'
