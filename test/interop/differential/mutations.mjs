/** Attacks and accidents, `name -> (draft, world, random)`; some of them happen to leave a payment sound. */
import {
  account,
  computeLimit,
  computePrice,
  concat,
  foreignInstructions,
  lighthouse,
  MEMO_V1,
  memo,
  nobody,
  partiesOf,
  TOKEN,
  TOKEN_2022,
  transferChecked,
  u64,
} from './instructions.mjs'
import { encodeBase58 } from './message.mjs'
import { TRANSFER, useMint } from './sound.mjs'

export const HOSTILE = {
  'foreign instruction'(draft, world, random) {
    const place = random.below(draft.instructions.length + 1)
    draft.instructions.splice(place, 0, random.pick(foreignInstructions(partiesOf(world))))
  },
  'instruction missing'(draft, _world, random) {
    draft.instructions.splice(random.below(draft.instructions.length), 1)
  },
  'instructions in another order'(draft, _world, random) {
    const [taken] = draft.instructions.splice(random.below(draft.instructions.length), 1)
    draft.instructions.splice(random.below(draft.instructions.length + 1), 0, taken)
  },
  'instruction twice'(draft, _world, random) {
    const place = random.below(draft.instructions.length)
    draft.instructions.splice(random.below(draft.instructions.length + 1), 0, draft.instructions[place])
  },
  'too many instructions'(draft, _world, random) {
    for (let i = 4 + random.below(4); i > 0; i--) draft.instructions.push(memo('m'))
  },
  'transfer accounts swapped'(draft, _world, random) {
    const { accounts } = draft.instructions[TRANSFER] ?? {}
    if (accounts === undefined || accounts.length === 0) return
    const [a, b] = [random.below(accounts.length), random.below(accounts.length)]
    ;[accounts[a], accounts[b]] = [accounts[b], accounts[a]]
  },
  'transfer account replaced'(draft, world, random) {
    const { accounts } = draft.instructions[TRANSFER] ?? {}
    if (accounts === undefined || accounts.length === 0) return
    const place = random.below(accounts.length)
    const address = random.pick(Object.values(world.actors)).address
    accounts[place] = {
      ...accounts[place],
      address: random.chance(0.5) ? address : world.someAccount(random),
    }
  },
  'transfer account added'(draft, world, random) {
    const flags = random.pick(['', 'w', 's', 'sw'])
    draft.instructions[TRANSFER]?.accounts.push(
      account(random.pick(Object.values(world.actors)).address, flags),
    )
  },
  'transfer account missing'(draft) {
    draft.instructions[TRANSFER]?.accounts.pop()
  },
  'account flags changed'(draft, _world, random) {
    const { accounts } = random.pick(draft.instructions) ?? {}
    const place = random.below(accounts?.length ?? 0)
    if (accounts?.[place] === undefined) return
    const flag = random.pick(['isWritable', 'isSigner'])
    accounts[place] = { ...accounts[place], [flag]: !accounts[place][flag] }
  },
  'wrong destination'(draft, world, random) {
    const { accounts } = draft.instructions[TRANSFER] ?? {}
    if (accounts?.[2] === undefined) return
    const { merchant, attacker, stranger, buyer } = world.actors
    const address = random.pick([
      merchant.address,
      world.associated(attacker.address, draft.mint.address, TOKEN),
      world.associated(stranger.address, draft.mint.address, TOKEN),
      world.associated(buyer.address, draft.mint.address, TOKEN),
      world.associated(merchant.address, draft.mint.address, TOKEN_2022),
    ])
    accounts[2] = account(address, 'w')
  },
  'amount changed'(draft, _world, random) {
    const was = BigInt(draft.requirement.amount)
    changeTransfer(draft, (data) => {
      const amount = random.pick([was + 1n, was - 1n, 0n, was * 256n, 2n ** 64n - 1n, was + (1n << 32n)])
      return concat(data.subarray(0, 1), u64(amount), data.subarray(9))
    })
  },
  'amount of zero asked'(draft) {
    draft.requirement = { ...draft.requirement, amount: '0' }
    changeTransfer(draft, (data) => concat(data.subarray(0, 1), u64(0n), data.subarray(9)))
  },
  'decimals changed'(draft, _world, random) {
    changeTransfer(draft, (data) => concat(data.subarray(0, 9), [random.pick([0, 5, 7, 9, 255])]))
  },
  'transfer data longer or shorter'(draft, _world, random) {
    changeTransfer(draft, (data) =>
      random.chance(0.5)
        ? concat(data, random.bytes(1 + random.below(8)))
        : data.subarray(0, random.below(10)),
    )
  },
  'another token instruction'(draft, _world, random) {
    changeTransfer(draft, (data) => concat([random.pick([3, 4, 7, 8, 9, 13, 26])], data.subarray(1)))
  },
  'other token program'(draft, world) {
    const { buyer, merchant } = world.actors
    const { address, decimals } = draft.mint
    draft.instructions[TRANSFER] = transferChecked(TOKEN_2022, {
      source: world.associated(buyer.address, address, TOKEN_2022),
      mint: address,
      destination: world.associated(merchant.address, address, TOKEN_2022),
      authority: buyer.address,
      amount: BigInt(draft.requirement.amount),
      decimals,
    })
  },
  'unlisted Token-2022 mint'(draft, world, random) {
    useMint(draft, world, random.pick([world.mints.unlisted, world.mints.fee]), TOKEN_2022)
  },
  'mint that nobody asked for'(draft, world, random) {
    const asked = draft.requirement.asset
    useMint(draft, world, random.pick([world.mints.other, world.mints.listed]), TOKEN)
    draft.requirement = { ...draft.requirement, asset: asked }
  },
  'one more signer'(draft, world, random) {
    const { attacker, stranger } = world.actors
    const signer = random.pick([attacker, stranger]).address
    const place = random.pick([3, draft.instructions.length])
    draft.instructions.splice(place, 0, memo('signed', [account(signer, random.pick(['s', 'sw']))]))
  },
  'memo signed by the payer'(draft, world) {
    const at = draft.instructions[3]
    if (at !== undefined) draft.instructions[3] = { ...at, accounts: [account(world.buyer.address, 's')] }
  },
  'sponsor named'(draft, world, random) {
    const named = account(world.sponsor.address, random.pick(['', 's', 'w', 'sw']))
    const instruction = random.pick([memo('named', [named]), lighthouse([named])])
    draft.instructions.splice(3 + random.below(2), 0, instruction)
  },
  'sponsor as authority'(draft, world) {
    const { accounts } = draft.instructions[TRANSFER] ?? {}
    if (accounts?.[3] === undefined) return
    accounts[0] = account(world.associated(world.sponsor.address, draft.mint.address, TOKEN), 'w')
    accounts[3] = account(world.sponsor.address, 's')
  },
  'tokens of the sponsor'(draft, world) {
    const { accounts } = draft.instructions[TRANSFER] ?? {}
    if (accounts?.[0] !== undefined)
      accounts[0] = account(world.associated(world.sponsor.address, draft.mint.address, TOKEN), 'w')
  },
  'sponsor as program'(draft, world) {
    draft.instructions.push({ program: world.sponsor.address, accounts: [], data: Buffer.from('x') })
  },
  'another fee payer'(draft, world, random) {
    draft.feePayer = random.pick([world.stranger, world.attacker, world.buyer]).address
    if (random.chance(0.3))
      draft.requirement = {
        ...draft.requirement,
        extra: { ...draft.requirement.extra, feePayer: draft.feePayer },
      }
  },
  'lookup table'(draft, world, random) {
    draft.version = 0
    draft.lookups = [
      {
        table: random.pick([world.lookupTable, world.stranger.address]),
        writable: random.chance(0.5) ? [0] : [],
        readonly: [1],
      },
    ]
    // The destination through the table, which is its first entry.
    if (random.chance(0.6))
      draft.edits.push((compiled) => {
        const transfer = compiled.instructions[TRANSFER]
        if (transfer?.accounts[2] !== undefined && draft.lookups[0].writable.length > 0)
          transfer.accounts[2] = compiled.keys.length
      })
  },
  'limits too high'(draft, _world, random) {
    const units = random.pick([60_001, 200_000, 400_000, 1_400_000, 2 ** 32 - 1])
    const price = random.pick([100_001n, 1_000_000n, 5_000_000n, 5_000_001n, 2n ** 64n - 1n])
    if (random.chance(0.7)) draft.instructions[0] = computeLimit(units)
    if (random.chance(0.7)) draft.instructions[1] = computePrice(price)
  },
  'limit instructions misshapen'(draft, world, random) {
    const place = random.below(2)
    const at = draft.instructions[place]
    if (at === undefined) return
    const data = random.pick([
      at.data.subarray(0, random.below(at.data.length)),
      concat(at.data, random.bytes(1 + random.below(4))),
      concat([random.below(6)], at.data.subarray(1)),
      at.data,
    ])
    const accounts = random.chance(0.5) ? [account(world.stranger.address)] : []
    draft.instructions[place] = { ...at, data, accounts }
  },
  'memo changed'(draft, _world, random) {
    const { text } = draft.memo
    const data = random.pick([
      Buffer.from(`${text} `),
      Buffer.from(text.slice(1)),
      Buffer.from(text.toUpperCase()),
      Buffer.from(''),
      concat([0xef, 0xbb, 0xbf], Buffer.from(text)),
      concat(Buffer.from(text), [0xff]),
      random.bytes(32),
    ])
    if (draft.instructions[3] !== undefined) draft.instructions[3] = memo(data)
  },
  'memo asked for is not valid UTF-8 in the transaction'(draft) {
    draft.requirement = withMemo(draft.requirement, 'x1.\ufffd')
    if (draft.instructions[3] !== undefined) draft.instructions[3] = memo(concat(Buffer.from('x1.'), [0xff]))
  },
  'memo twice'(draft) {
    draft.instructions.push(memo(draft.memo.text))
  },
  'memo too long'(draft, _world, random) {
    const text = 'm'.repeat(257 + random.below(300))
    if (draft.memo.isAsked) draft.requirement = withMemo(draft.requirement, text)
    if (draft.instructions[3] !== undefined) draft.instructions[3] = memo(text)
  },
  'memo by the first memo program'(draft) {
    if (draft.instructions[3] !== undefined)
      draft.instructions[3] = { ...draft.instructions[3], program: MEMO_V1 }
  },
  'guard before the transfer'(draft, _world, random) {
    for (let i = 1 + random.below(3); i > 0; i--) draft.instructions.splice(random.below(3), 0, lighthouse())
  },
  'too many guards'(draft, _world, random) {
    for (let i = 4 + random.below(3); i > 0; i--) draft.instructions.push(lighthouse())
  },
  'terms of another kind'(draft, world, random) {
    const { requirement } = draft
    const { feePayer: _feePayer, ...extra } = requirement.extra
    const change = random.pick([
      { scheme: 'upto' },
      { network: 'solana:5eykt4UsFv8P8NJdTREpY1vzqKqZKvdp' },
      { network: 'solana:4uhcVJyU9pJkvQyS88uRDiswHXSCkY3z' },
      { payTo: world.stranger.address },
      { asset: world.mints.other.address },
      { amount: `${BigInt(requirement.amount) + 1n}` },
      { extra },
      { extra: { ...extra, feePayer: world.stranger.address } },
    ])
    draft.requirement = { ...requirement, ...change }
    if (random.chance(0.3)) draft.accepted = requirement
  },
  'payment to oneself'(draft, world) {
    draft.requirement = { ...draft.requirement, payTo: world.buyer.address }
    const { accounts } = draft.instructions[TRANSFER] ?? {}
    if (accounts?.[2] !== undefined)
      accounts[2] = account(world.associated(world.buyer.address, draft.mint.address, TOKEN), 'w')
  },
  'payer of small order'(draft) {
    const point = Buffer.concat([Buffer.from([1]), Buffer.alloc(31)])
    replaceAuthority(draft, encodeBase58(point))
    // R the identity and S zero verify under the identity for every message, where nobody looks at the key.
    draft.wires.push((wire) => withSignature(wire, 1, Buffer.concat([point, Buffer.alloc(32)])))
  },
  'payer without a key'(draft, _world, random) {
    replaceAuthority(draft, encodeBase58(nobody(`payer ${random.below(1e9)}`)))
  },
  'dead blockhash'(draft, _world, random) {
    draft.blockhash = encodeBase58(random.bytes(32))
  },
}

function changeTransfer(draft, change) {
  const at = draft.instructions[TRANSFER]
  if (at !== undefined) draft.instructions[TRANSFER] = { ...at, data: change(at.data) }
}

function withMemo(requirement, memoText) {
  return { ...requirement, extra: { ...requirement.extra, memo: memoText } }
}

function replaceAuthority(draft, address) {
  const { accounts } = draft.instructions[TRANSFER] ?? {}
  if (accounts?.[3] !== undefined) accounts[3] = account(address, 's')
}

function withSignature(wire, place, signature) {
  const at = 1 + 64 * place
  if (wire.length < at + 64) return wire
  return Buffer.concat([wire.subarray(0, at), signature, wire.subarray(at + 64)])
}
