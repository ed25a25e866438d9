/** Wallets of this browser by the wallet standard: they announce themselves, and the page asks. Nothing is installed. */

export interface Account {
  readonly address: string
}

export interface Wallet {
  readonly name: string
  /** `data:` URL. */
  readonly icon: string
  readonly chains: readonly string[]
  readonly accounts: readonly Account[]
  readonly features: Readonly<Record<string, unknown>>
}

interface Connect {
  connect(): Promise<{ readonly accounts: readonly Account[] }>
}

interface SignTransaction {
  signTransaction(input: {
    readonly account: Account
    readonly chain: string
    readonly transaction: Uint8Array
  }): Promise<readonly { readonly signedTransaction: Uint8Array }[]>
}

interface Api {
  register(...wallets: readonly Wallet[]): () => void
}

/** Calls back for every wallet that can sign on this chain, now and later. */
export function findWallets(chain: string, found: (wallet: Wallet) => void): void {
  const seen = new Set<Wallet>()
  const api: Api = {
    register(...wallets) {
      for (const wallet of wallets) {
        const canSign = 'standard:connect' in wallet.features && 'solana:signTransaction' in wallet.features
        if (seen.has(wallet) || !canSign || !wallet.chains.includes(chain)) continue
        seen.add(wallet)
        found(wallet)
      }
      return () => {}
    },
  }
  window.addEventListener('wallet-standard:register-wallet', (event) => {
    const { detail } = event as CustomEvent<(api: Api) => void>
    detail(api)
  })
  window.dispatchEvent(new CustomEvent('wallet-standard:app-ready', { detail: api }))
}

/** Announces a wallet as an extension does. */
export function announce(wallet: Wallet): void {
  const register = ({ register: add }: Api) => add(wallet)
  window.dispatchEvent(new CustomEvent('wallet-standard:register-wallet', { detail: register }))
  window.addEventListener('wallet-standard:app-ready', (event) =>
    register((event as CustomEvent<Api>).detail),
  )
}

export async function connect(wallet: Wallet): Promise<Account> {
  const { accounts } = await (wallet.features['standard:connect'] as Connect).connect()
  const [account] = accounts
  if (account === undefined) throw new Error('The wallet shared no account.')
  return account
}

export async function sign(
  wallet: Wallet,
  account: Account,
  chain: string,
  transaction: Uint8Array,
): Promise<Uint8Array> {
  const feature = wallet.features['solana:signTransaction'] as SignTransaction
  const [signed] = await feature.signTransaction({ account, chain, transaction })
  if (signed === undefined) throw new Error('The wallet signed nothing.')
  return signed.signedTransaction
}
