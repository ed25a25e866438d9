/** Variations that leave a payment sound, `name -> (draft, world, random)`: both verifiers must take them. */
import {
  account,
  computeLimit,
  computePrice,
  lighthouse,
  memo,
  TOKEN_2022,
  transferChecked,
} from './instructions.mjs'

/** The place of the transfer among the instructions. */
export const TRANSFER = 2

export const SOUND = {
  plain() {},
  'legacy message'(draft) {
    draft.version = 'legacy'
  },
  'slot 0 filled'(draft, _world, random) {
    draft.wires.push((wire) => Buffer.concat([wire.subarray(0, 1), random.bytes(64), wire.subarray(65)]))
  },
  'no memo'(draft) {
    if (!draft.memo.isAsked) draft.instructions.splice(3, 1)
  },
  'several memos'(draft, _world, random) {
    if (draft.memo.isAsked) return
    for (let i = 1 + random.below(2); i > 0; i--) draft.instructions.push(memo(`and ${random.below(1e9)}`))
  },
  'long memo'(draft, _world, random) {
    if (!draft.memo.isAsked) draft.instructions[3] = memo('m'.repeat(200 + random.below(57)))
  },
  'limits within'(draft, _world, random) {
    draft.instructions[0] = computeLimit(5_000 + random.below(55_001))
    draft.instructions[1] = computePrice(random.below(100_001))
  },
  'unused key'(draft, world) {
    draft.edits.push((compiled) => {
      compiled.keys.push(world.stranger.address)
      compiled.header[2]++
    })
  },
  'listed Token-2022 mint'(draft, world) {
    useMint(draft, world, world.mints.listed, TOKEN_2022)
  },
}

/** Taken by the rules on the bytes of both; no program is there to run it. */
export const GUARDS = {
  'guard after the transfer'(draft, world, random) {
    const accounts = random.chance(0.5) ? [] : [account(world.stranger.address)]
    for (let i = 1 + random.below(7 - draft.instructions.length); i > 0; i--)
      draft.instructions.splice(TRANSFER + 1 + random.below(2), 0, lighthouse(accounts))
  },
}

export function useMint(draft, world, mint, program) {
  const { buyer, merchant } = world.actors
  draft.mint = mint
  draft.requirement = { ...draft.requirement, asset: mint.address }
  draft.instructions[TRANSFER] = transferChecked(program, {
    source: world.associated(buyer.address, mint.address, program),
    mint: mint.address,
    destination: world.associated(merchant.address, mint.address, program),
    authority: buyer.address,
    amount: BigInt(draft.requirement.amount),
    decimals: mint.decimals,
  })
}
