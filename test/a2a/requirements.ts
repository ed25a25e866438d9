/**
 * What an A2A agent and client of ours must do, one entry a requirement: the section it belongs to, how binding it is, and
 * the behaviour that a test shows. A test cites an entry by its id in brackets at the start of its title;
 * `requirements.test.ts` checks the citations.
 */
import { PROJECT } from './requirements-project.js'
import { PROTOCOL } from './requirements-protocol.js'

export const REQUIREMENTS = { ...PROTOCOL, ...PROJECT } as const
