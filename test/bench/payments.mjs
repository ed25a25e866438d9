/**
 * Payments on a local chain in a process of its own, with immediate landing: verify, settle, and whole payments from the
 * first request to the goods, by several buyers at once; the latency of a settlement at 400 ms slots; what an unpaid 402
 * and the gate alone cost. Beside each the published packages, under the same load, where they are installed.
 */
import { randomBytes } from 'node:crypto'
import { existsSync } from 'node:fs'
import { Agent, get } from 'node:http'
import { decodeBase58, encodeBase58, keyPair } from '../interop/differential/message.mjs'
import { startPeer } from '../interop/peer.mjs'
import { makeCalls } from './payment-calls.mjs'

/** As many as the highest concurrency: payments of one payer wait for each other on purpose. */
const PAYERS = 64
const PUBLISHED = existsSync(new URL('../interop/current/node_modules', import.meta.url))
const LIMIT_NAME = 'published packages (@x402 2.27)'
const FASTER = '>= 1.5'
const SOONER = '<= 0.5'

export async function run(bench) {
  const peers = []
  const start = async (program, settings) => {
    const peer = await startPeer(program, settings)
    peers.push(peer)
    return peer
  }
  try {
    await measureAll(bench, start)
  } finally {
    for (const peer of peers.reverse()) await peer.close()
  }
}

async function measureAll(bench, start) {
  const seeds = Array.from({ length: PAYERS }, () => randomBytes(32))
  const payers = seeds.map(keyPair)
  const chain = await start('ours/devnet.mjs', { options: { slotMs: 400, landing: 'immediate' } })
  await chain.ask({ fund: payers.map(({ address }) => address) })
  const { rpcUrl, network, mint, payTo } = chain
  const buyerKeys = payers.map(({ address }, i) => secretKeyOf(seeds[i], address))
  const settings = { rpcUrl, network, mint, payTo, price: '$0.01', secretKey: chain.sponsorKey, buyerKeys }
  const sides = {}
  for (const name of PUBLISHED ? ['ours', 'current'] : ['ours'])
    sides[name] = {
      seller: await start(`${name}/bench.mjs`, settings),
      buyer: await start(`${name}/bench.mjs`, settings),
    }
  const alone = await start('../bench/payment-chain.mjs', { rpcUrl })
  const sponsorKeys = keyPair(decodeBase58(chain.sponsorKey))
  const calls = (count) => makeCalls(chain, payers, count)
  const scale = bench.quick ? 0.15 : 1
  const times = (count) => Math.max(4, Math.round(count * scale))

  // Nothing is fast the first time.
  await both(sides, async ({ seller, buyer }) => {
    await ask(seller, { command: 'settle', calls: await calls(times(60)), concurrency: 4 })
    await ask(buyer, { command: 'buy', url: `${seller.url}/paid`, count: times(30), concurrency: 4 })
  })

  const chainRates = new Map()
  for (const concurrency of [1, 16]) {
    const send = async () =>
      ask(alone, { calls: await makeCalls(chain, payers, times(150), sponsorKeys), concurrency })
    await send()
    const { rate, milliseconds } = pool([await send(), await send(), await send()])
    chainRates.set(concurrency, rate)
    bench.row({
      figure: `the chain alone, ${atOnce(concurrency)}`,
      value: rate,
      unit: 'transactions/s',
      note: `no payment is settled faster: one send and one status each; p50 ${at(milliseconds, 0.5).toFixed(1)} ms`,
    })
  }
  for (const concurrency of [1, 16]) {
    const made = await calls(times(300))
    const found = await inRounds(sides, ({ seller }) =>
      ask(seller, { command: 'verify', calls: made, concurrency }),
    )
    rateRow(bench, `verify, ${atOnce(concurrency)}`, 'verifications/s', found)
  }
  for (const concurrency of [1, 16]) {
    const count = times(concurrency === 1 ? 60 : 200)
    const found = await inRounds(sides, async ({ seller }) =>
      ask(seller, { command: 'settle', calls: await calls(count), concurrency }),
    )
    rateRow(bench, `settle, ${atOnce(concurrency)}`, 'settlements/s', found, chainRates.get(concurrency))
  }
  for (const concurrency of [1, 16, 64]) {
    const count = Math.max(concurrency, times(concurrency === 1 ? 50 : 240))
    const found = await inRounds(sides, ({ seller, buyer }) =>
      ask(buyer, { command: 'buy', url: `${seller.url}/paid`, count, concurrency }),
    )
    rateRow(bench, `whole payments, ${atOnce(concurrency)}`, 'payments/s', found)
  }

  await chain.ask({ options: { landing: 'next-slot' } })
  const slow = await inRounds(sides, async ({ seller }) =>
    ask(seller, { command: 'settle', calls: await calls(times(16)), concurrency: 1, pauseMs: 400 }),
  )
  const figures = { mean, p50: (all) => at(all, 0.5), p95: (all) => at(all, 0.95) }
  for (const [name, figure] of Object.entries(figures))
    bench.row({
      figure: `settle at 400 ms slots, ${name}`,
      value: figure(slow.ours.milliseconds),
      unit: 'ms',
      ...beside(slow.current && figure(slow.current.milliseconds), name === 'mean' ? SOONER : ''),
      note: name === 'mean' ? '200 of it are the wait for the next slot' : '',
    })

  await overheads(bench, sides, await calls(times(2_000)))
}

async function overheads(bench, { ours, current }, made) {
  const { seconds: staticSeconds } = await ask(ours.seller, {
    command: 'static',
    calls: made,
    concurrency: 1,
  })
  bench.row({
    figure: 'verify by bytes alone',
    value: (staticSeconds / made.length) * 1e6,
    unit: 'us',
    note: 'rules 1 to 16, one signature check and one derived account among them; no RPC',
  })
  const { seconds } = await ask(ours.seller, { command: 'gate', calls: made })
  bench.row({
    figure: 'gate and memory ledger, one payment',
    value: (seconds / made.length) * 1e6,
    unit: 'us',
    note: 'header decoding, matching, claim, record, receipt; the settler answers at once',
  })
  const count = made.length
  const bare = await requestTime(`${ours.seller.url}/bare`, count)
  const mine = await requestTime(`${ours.seller.url}/paid`, count)
  const theirs = current && (await requestTime(`${current.seller.url}/paid`, count))
  bench.row({
    figure: 'unpaid 402, one request after the other',
    value: mine,
    unit: 'us',
    limit: bare,
    limitName: 'a route that answers 402 with a constant',
    note: theirs === undefined ? '' : `${LIMIT_NAME}: ${Math.round(theirs)} us, one offer instead of three`,
  })
}

/** Microseconds of one request over a kept connection. */
async function requestTime(url, count) {
  const agent = new Agent({ keepAlive: true, maxSockets: 1 })
  const once = () =>
    new Promise((resolve, reject) => {
      get(url, { agent }, (response) => {
        if (response.statusCode !== 402) reject(new Error(`${url} answered ${response.statusCode}`))
        response.on('end', resolve).resume()
      }).on('error', reject)
    })
  for (let i = 0; i < count / 4; i++) await once()
  const begun = performance.now()
  for (let i = 0; i < count; i++) await once()
  const took = performance.now() - begun
  agent.destroy()
  return (took / count) * 1_000
}

function rateRow(bench, figure, unit, { ours, current }, chainRate) {
  bench.row({
    figure,
    value: ours.rate,
    unit,
    ...beside(current?.rate, FASTER),
    note: [
      `p50 ${at(ours.milliseconds, 0.5).toFixed(1)} ms${current ? `, theirs ${at(current.milliseconds, 0.5).toFixed(1)}` : ''}`,
      `${ours.processor.toFixed(2)} ms of processor each${current ? `, theirs ${current.processor.toFixed(2)}` : ''}`,
      ...(chainRate === undefined ? [] : [`${(ours.rate / chainRate).toFixed(2)} of the chain alone`]),
    ].join('; '),
  })
}

function beside(limit, aim) {
  return limit === undefined ? {} : { limit, limitName: LIMIT_NAME, aim }
}

/** Rounds of a measurement; what is told is the round in the middle. */
const ROUNDS = 5

/** Each side first in every other round: what the machine does meanwhile, and a chain that grows, is the same for both. */
async function inRounds(sides, measure) {
  const names = Object.keys(sides)
  const found = Object.fromEntries(names.map((name) => [name, []]))
  for (let round = 0; round < ROUNDS; round++) {
    for (const name of round % 2 === 0 ? names : names.toReversed()) {
      const side = sides[name]
      const before = await processorTime(side)
      const measured = await measure(side)
      found[name].push({ ...measured, processor: (await processorTime(side)) - before })
    }
  }
  return Object.fromEntries(names.map((name) => [name, pool(found[name])]))
}

/** All milliseconds, the rate of the round in the middle, and what one took of the processor, in milliseconds. */
function pool(rounds) {
  const rates = rounds.map(({ milliseconds, seconds }) => milliseconds.length / seconds)
  const milliseconds = rounds.flatMap((round) => round.milliseconds)
  const processor = rounds.reduce((sum, round) => sum + (round.processor ?? 0), 0) / milliseconds.length
  return { rate: at(rates, 0.5), milliseconds, processor }
}

/** Milliseconds of processor time that seller and buyer have taken so far; the chain not among them. */
async function processorTime({ seller, buyer }) {
  const used = await Promise.all([seller, buyer].map((peer) => ask(peer, { command: 'processor' })))
  return used.reduce((sum, { user, system }) => sum + user + system, 0) / 1_000
}

/** One side after the other, so that neither takes the other's processor. */
async function both(sides, measure) {
  const found = {}
  for (const [name, side] of Object.entries(sides)) found[name] = await measure(side)
  return found
}

async function ask(peer, request) {
  const { error, faults, firstFault, ...found } = await peer.ask(request)
  if (error !== undefined) throw new Error(error)
  if (faults > 0) throw new Error(`${request.command}: ${faults} went wrong, the first: ${firstFault}`)
  return found
}

function at(milliseconds, share) {
  const sorted = [...milliseconds].sort((a, b) => a - b)
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))]
}

function mean(milliseconds) {
  return milliseconds.reduce((sum, each) => sum + each, 0) / milliseconds.length
}

function atOnce(concurrency) {
  return concurrency === 1 ? 'one at a time' : `${concurrency} at once`
}

function secretKeyOf(seed, address) {
  return encodeBase58(Buffer.concat([seed, decodeBase58(address)]))
}
