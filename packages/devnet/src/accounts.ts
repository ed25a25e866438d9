/** RPC methods about accounts (spec solana 10.1). */
import { type AccountView, accountJson, accountView } from './account-json.js'
import { decodeBase58 } from './base58.js'
import { isObject, type Json, type JsonObject } from './json.js'
import { addressOf, addressParam, configParam, countOf, listOf } from './params.js'
import { tokenAmount } from './parsed-account.js'
import { isTokenProgram } from './program-ids.js'
import { type RpcMethods, withContext } from './rpc.js'
import { invalidParams } from './rpc-error.js'
import type { Account, Svm } from './svm.js'
import { mintOf, readTokenAccount, tokenAccountOf } from './token.js'

const MAX_ACCOUNTS = 100
const MAX_FILTERS = 4

export const ACCOUNT_METHODS: RpcMethods = {
  getBalance: (params, { chain }) => withContext(chain, chain.svm.lamports(addressParam(params, 0))),
  getAccountInfo(params, { chain }) {
    const view = accountView(configParam(params, 1))
    return withContext(chain, optionalAccount(chain.svm, addressParam(params, 0), view))
  },
  getMultipleAccounts(params, { chain }) {
    const view = accountView(configParam(params, 1), 'base64')
    const addresses = listOf(params[0], 'addresses', MAX_ACCOUNTS).map(addressOf)
    return withContext(
      chain,
      addresses.map((address) => optionalAccount(chain.svm, address, view)),
    )
  },
  getTokenAccountBalance(params, { chain }) {
    const token = tokenAccountOf(chain.svm, addressParam(params, 0))
    const mint = token && mintOf(chain.svm, token.mint)
    if (token === undefined || mint === undefined)
      throw invalidParams('Invalid param: could not find account')
    return withContext(chain, tokenAmount(token.amount, mint.decimals))
  },
  getTokenSupply(params, { chain }) {
    const mint = mintOf(chain.svm, addressParam(params, 0))
    if (mint === undefined) throw invalidParams('Invalid param: not a Token mint')
    return withContext(chain, tokenAmount(mint.supply, mint.decimals))
  },
  getTokenAccountsByOwner(params, { chain }) {
    const owner = addressParam(params, 0)
    const { program, mint } = tokenFilter(chain.svm, params[1])
    const view = accountView(configParam(params, 2))
    const found = chain.svm.accountsOf(program).filter(({ account }) => {
      const token = readTokenAccount(account)
      return token?.owner === owner && (mint === undefined || token.mint === mint)
    })
    return withContext(
      chain,
      found.map((entry) => keyed(chain.svm, entry, view)),
    )
  },
  getProgramAccounts(params, { chain }) {
    const config = configParam(params, 1)
    const view = accountView(config)
    const filters = listOf(config.filters ?? [], 'filters', MAX_FILTERS).map(accountFilter)
    const found = chain.svm
      .accountsOf(addressParam(params, 0))
      .filter(({ account }) => filters.every((matches) => matches(account)))
      .map((entry) => keyed(chain.svm, entry, view))
    return config.withContext === true ? withContext(chain, found) : found
  },
}

function optionalAccount(svm: Svm, address: string, view: AccountView): JsonObject | null {
  const account = svm.account(address)
  return account === undefined ? null : accountJson(svm, account, view)
}

function keyed(svm: Svm, entry: { readonly address: string; readonly account: Account }, view: AccountView) {
  return { pubkey: entry.address, account: accountJson(svm, entry.account, view) }
}

/** `{mint}` or `{programId}`; a mint says by its owner which program is meant. */
function tokenFilter(svm: Svm, filter: Json | undefined): { program: string; mint?: string } {
  if (!isObject(filter)) throw invalidParams('Invalid params: a mint or a programId expected.')
  if (filter.mint !== undefined) {
    const mint = addressOf(filter.mint)
    const program = svm.account(mint)?.owner
    if (program === undefined || !isTokenProgram(program)) {
      throw invalidParams('Invalid param: could not find mint')
    }
    return { program, mint }
  }
  const program = addressOf(filter.programId)
  if (!isTokenProgram(program)) throw invalidParams('Invalid param: unrecognized Token program id')
  return { program }
}

function accountFilter(filter: Json): (account: Account) => boolean {
  if (!isObject(filter)) throw invalidParams('Invalid params: a filter object expected.')
  if (filter.dataSize !== undefined) {
    const size = countOf(filter.dataSize, 'dataSize')
    return ({ data }) => data.length === size
  }
  const { memcmp } = filter
  if (!isObject(memcmp) || typeof memcmp.bytes !== 'string') {
    throw invalidParams('Invalid params: only memcmp and dataSize are filters here.')
  }
  const offset = countOf(memcmp.offset, 'an offset')
  const bytes =
    memcmp.encoding === 'base64' ? Buffer.from(memcmp.bytes, 'base64') : decodeBase58(memcmp.bytes)
  if (bytes === undefined) throw invalidParams('Invalid param: bytes of memcmp are not base58')
  return ({ data }) => Buffer.from(bytes).equals(data.subarray(offset, offset + bytes.length))
}
