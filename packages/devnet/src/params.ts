/** Reading the parameters of a call; what does not fit is answered with -32602. */
import { decodeBase58 } from './base58.js'
import { isArray, isObject, type Json, type JsonObject } from './json.js'
import { invalidParams } from './rpc-error.js'

const COMMITMENTS: ReadonlySet<Json | undefined> = new Set(['processed', 'confirmed', 'finalized'])

export function stringParam(params: readonly Json[], index: number, what: string): string {
  const value = params[index]
  if (typeof value !== 'string') throw invalidParams(`Invalid params: ${what} expected as text.`)
  return value
}

export function addressParam(params: readonly Json[], index: number): string {
  return addressOf(stringParam(params, index, 'an address'))
}

export function addressOf(value: Json | undefined): string {
  if (typeof value !== 'string' || decodeBase58(value, 32) === undefined) {
    throw invalidParams('Invalid param: WrongSize')
  }
  return value
}

/** An integer from 0 to 2^64 - 1. */
export function u64Of(value: Json | undefined, what: string): bigint {
  const integer = typeof value === 'bigint' || Number.isSafeInteger(value)
  if (!integer || BigInt(value as number | bigint) < 0n || BigInt(value as number | bigint) >= 2n ** 64n) {
    throw invalidParams(`Invalid params: ${what} expected as an integer.`)
  }
  return BigInt(value as number | bigint)
}

/** A safe integer from `least` up. */
export function countOf(value: Json | undefined, what: string, least = 0): number {
  if (typeof value !== 'number' || !Number.isSafeInteger(value) || value < least) {
    throw invalidParams(`Invalid params: ${what} expected as an integer from ${least}.`)
  }
  return value
}

/** The options object, empty when absent. */
export function configParam(params: readonly Json[], index: number): JsonObject {
  const value = params[index]
  if (value === undefined || value === null) return {}
  if (!isObject(value)) throw invalidParams('Invalid params: an object of options expected.')
  const { commitment } = value
  if (commitment !== undefined && commitment !== null && !COMMITMENTS.has(commitment)) {
    throw invalidParams(`Invalid params: unknown commitment ${String(commitment)}.`)
  }
  return value
}

export function listOf(value: Json | undefined, what: string, most: number): readonly Json[] {
  if (!isArray(value)) throw invalidParams(`Invalid params: ${what} expected as a list.`)
  if (value.length > most) throw invalidParams(`Too many inputs provided; max ${most}`)
  return value
}
