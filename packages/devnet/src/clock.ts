/**
 * Slot, block height and unix time, mirrored into the Clock and SlotHashes sysvars (spec solana 10, point 6).
 *
 *   SlotHashes   0  count u64 = 512
 *                8  entries, newest first: slot u64, hash 32
 */
import { randomBytes } from 'node:crypto'
import { SLOT_HASHES_SYSVAR } from './program-ids.js'
import { keyBytes, type Svm } from './svm.js'

export const SLOTS_PER_EPOCH = 432_000
/** Nominal length of a slot: what unix time gains for each slot that was made by hand. */
const SLOT_SECONDS = 0.4
const ENTRIES = 512
const ENTRY_SIZE = 40
/** Real clusters skip slots, so that heights stay behind; a program that mixes the two up should notice here. */
const SKIPPED_SLOTS = 22_000_000

export interface ChainClock {
  readonly slot: number
  readonly height: number
  /** Seconds. */
  readonly unixTime: number
  /** To a later slot, one block higher. `byHand` moves unix time along, else it follows the wall clock. */
  advance(hash: string, slots: number, byHand: boolean): void
  /** Unix time from now on, seconds; never backwards. */
  setUnixTime(seconds: number): void
}

export function createClock(svm: Svm, now: () => number): ChainClock {
  let slot = Number(svm.native.getClock().slot)
  let height = slot - SKIPPED_SLOTS
  let ahead = 0
  let unixTime = Math.floor(now() / 1000)
  let epochStart = unixTime
  const slotHashes = createSlotHashes(svm, slot)
  publish(randomBytes(32))

  function publish(hash: Uint8Array): void {
    const clock = svm.native.getClock()
    const epoch = Math.floor(slot / SLOTS_PER_EPOCH)
    clock.slot = BigInt(slot)
    clock.epoch = BigInt(epoch)
    clock.leaderScheduleEpoch = BigInt(epoch + 1)
    clock.epochStartTimestamp = BigInt(epochStart)
    clock.unixTimestamp = BigInt(unixTime)
    svm.native.setClock(clock)
    slotHashes.push(slot, hash)
  }

  return {
    get slot() {
      return slot
    },
    get height() {
      return height
    },
    get unixTime() {
      return unixTime
    },
    advance(hash, slots, byHand) {
      const epoch = Math.floor(slot / SLOTS_PER_EPOCH)
      slot += slots
      height += 1
      if (byHand) ahead += slots * SLOT_SECONDS
      unixTime = Math.max(unixTime, Math.floor(now() / 1000 + ahead))
      if (Math.floor(slot / SLOTS_PER_EPOCH) !== epoch) epochStart = unixTime
      publish(keyBytes(hash))
    },
    setUnixTime(seconds) {
      ahead = seconds - now() / 1000
      unixTime = Math.max(unixTime, Math.floor(seconds))
    },
  }
}

function createSlotHashes(svm: Svm, slot: number): { push(slot: number, hash: Uint8Array): void } {
  const account = svm.account(SLOT_HASHES_SYSVAR)
  if (account === undefined) throw new RangeError('LiteSVM has no SlotHashes sysvar')
  const data = new Uint8Array(8 + ENTRIES * ENTRY_SIZE)
  const view = new DataView(data.buffer)
  view.setBigUint64(0, BigInt(ENTRIES), true)
  for (let index = 0; index < ENTRIES; index++) {
    const at = 8 + index * ENTRY_SIZE
    view.setBigUint64(at, BigInt(slot - 1 - index), true)
    data.set(randomBytes(32), at + 8)
  }
  return {
    push(newest, hash) {
      data.copyWithin(8 + ENTRY_SIZE, 8, data.length - ENTRY_SIZE)
      view.setBigUint64(8, BigInt(newest), true)
      data.set(hash, 16)
      svm.setAccount(SLOT_HASHES_SYSVAR, { ...account, data })
    },
  }
}
