/**
 * The differential verifier (spec payments 17, solana 8): seeded mutations of sound payments, judged by our facilitator's
 * `/verify` and by `@x402/svm` 2.27's. We may refuse more, each time under a rule of differential/stricter.json; taking
 * more is a failure. `node test/interop/differential.mjs [--count N] [--seed N] [--case N]`
 */
import { readFileSync } from 'node:fs'
import { parseArgs } from 'node:util'
import { startDevnet } from '@aetherkit/devnet'
import {
  createFacilitator,
  createLedger,
  createSolanaSettler,
  keypairSigner,
  memoryStore,
} from '@aetherkit/payments'
import { BYTES } from './differential/byte-mutations.mjs'
import { finishDraft, soundDraft } from './differential/draft.mjs'
import { encodeBase58 } from './differential/message.mjs'
import { HOSTILE } from './differential/mutations.mjs'
import { createRandom } from './differential/random.mjs'
import { GUARDS, SOUND } from './differential/sound.mjs'
import { createWorld } from './differential/world.mjs'
import { startPeer } from './peer.mjs'

const SIMULATION = 'invalid_exact_svm_transaction_simulation_failed'
const BATCH = 100
/** Share of the cases that carry more than one mutation. */
const SECOND = 0.25

const MUTATIONS = { ...SOUND, ...GUARDS, ...HOSTILE, ...BYTES }
const NAMES = Object.keys(MUTATIONS)
const STRICTER = JSON.parse(readFileSync(new URL('./differential/stricter.json', import.meta.url), 'utf8'))

/** Runs `count` cases; `only` runs a single one, by its number. */
export async function runDifferential({ count = 5_000, seed = 402, only } = {}) {
  const devnet = await startDevnet({ slotMs: 400 })
  const secretKey = encodeBase58(devnet.wallets.facilitator.secretKey)
  let published
  try {
    published = await startPeer('current/judge.mjs', {
      rpcUrl: devnet.rpcUrl,
      network: devnet.network,
      secretKey,
    })
    const derive = async (accounts) => (await published.ask({ accounts })).accounts
    const world = await createWorld(devnet, derive)
    const judgeOurs = ourJudge(devnet, world)
    const report = emptyReport(seed)
    const numbers = only === undefined ? Array.from({ length: count }, (_, i) => i) : [only]
    for (let at = 0; at < numbers.length; at += BATCH) {
      const cases = numbers.slice(at, at + BATCH).map((number) => makeCase(number, seed, world))
      const calls = cases.filter(({ call }) => call !== undefined)
      const [theirs, ours] = await Promise.all([
        published.ask({ payments: calls.map(({ call }) => call) }),
        Promise.all(calls.map(({ call }) => judgeOurs(call))),
      ])
      if (theirs.error !== undefined) throw new Error(`the published verifier: ${theirs.error}`)
      report.skipped += cases.length - calls.length
      calls.forEach((made, i) => {
        note(report, made, stageOf(ours[i]), stageOf(theirs.verdicts[i]))
      })
    }
    return report
  } finally {
    await published?.close()
    await devnet.close()
  }
}

function makeCase(number, seed, world) {
  const random = createRandom(seed * 1_000_003 + number)
  const names = [NAMES[number % NAMES.length]]
  while (random.chance(SECOND)) names.push(random.pick(NAMES))
  const draft = soundDraft(world, random)
  for (const name of names) MUTATIONS[name](draft, world, random)
  return { number, names, call: finishDraft(draft, world) }
}

function ourJudge(devnet, world) {
  const settler = createSolanaSettler({
    rpcUrl: devnet.rpcUrl,
    network: devnet.network,
    sponsors: [keypairSigner(devnet.wallets.facilitator.secretKey)],
    allowedMints: { [world.mints.listed.address]: [] },
  })
  const facilitator = createFacilitator({ settler, ledger: createLedger(memoryStore()), rateLimit: false })
  return async (call) => {
    const body = JSON.stringify(call)
    const response = await facilitator.handle(
      new Request('http://ours.invalid/verify', { method: 'POST', body }),
    )
    const { isValid, invalidReason } = await response.json()
    return { isValid, reason: invalidReason ?? '' }
  }
}

/** How far a payment came: 0 refused by its bytes, 1 refused by the chain, 2 taken. */
function stageOf({ isValid, reason }) {
  return { stage: isValid ? 2 : reason === SIMULATION ? 1 : 0, reason }
}

function emptyReport(seed) {
  return { seed, judged: 0, skipped: 0, bothTake: 0, bothRefuse: 0, stricter: {}, unexpected: [], taken: {} }
}

function note(report, { number, names, call }, ours, theirs) {
  report.judged++
  const found = {
    number,
    names,
    ours: ours.reason,
    theirs: theirs.reason,
    stages: [ours.stage, theirs.stage],
  }
  const isSound = names.every((name) => name in SOUND)
  if (isSound && ours.stage === 2 && theirs.stage === 2)
    for (const name of names) report.taken[name] = (report.taken[name] ?? 0) + 1
  if (ours.stage === theirs.stage) {
    if (isSound && ours.stage !== 2) report.unexpected.push({ ...found, why: 'a sound payment was refused' })
    else report[ours.stage === 2 ? 'bothTake' : 'bothRefuse']++
    return
  }
  if (ours.stage > theirs.stage) {
    const { transaction } = call.paymentPayload.payload
    report.unexpected.push({ ...found, why: 'ours takes more', transaction })
    return
  }
  const rule = STRICTER.find(
    ({ reasons, mutations }) =>
      reasons.includes(ours.reason) && names.some((name) => mutations.includes(name)),
  )
  if (rule === undefined) report.unexpected.push({ ...found, why: 'stricter without a rule' })
  else report.stricter[rule.id] = (report.stricter[rule.id] ?? 0) + 1
}

if (process.argv[1] === new URL(import.meta.url).pathname) {
  const { values } = parseArgs({
    options: { count: { type: 'string' }, seed: { type: 'string' }, case: { type: 'string' } },
  })
  const given = Object.entries(values).map(([name, text]) => [name === 'case' ? 'only' : name, Number(text)])
  const started = performance.now()
  const { unexpected, ...report } = await runDifferential(Object.fromEntries(given))
  console.log(report)
  for (const found of unexpected.slice(0, 40)) console.log(JSON.stringify(found))
  console.log(`${unexpected.length} unexpected, ${((performance.now() - started) / 1000).toFixed(1)} s`)
  process.exitCode = unexpected.length > 0 ? 1 : 0
}
