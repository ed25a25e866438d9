/** The page at work: choose a wallet, look at the balance, sign, hand over. Everything shown is text, never markup. */
import type { PageData, PageTerms } from '../page-data.js'
import { associatedAccount } from './address.js'
import { balanceOf, freshChallenge, present } from './shop.js'
import { isSigned, paymentTransaction } from './transaction.js'
import { connect, findWallets, sign, type Wallet } from './wallet.js'

const data = JSON.parse(element('data').textContent ?? '') as PageData
const wallets = element('wallets')
let isBusy = false

if (crypto.subtle === undefined) say('Open this page over https to pay here.', 'bad')
else findWallets(data.chain, offer)

function offer(wallet: Wallet): void {
  element('none').hidden = true
  const button = document.createElement('button')
  button.type = 'button'
  const icon = document.createElement('img')
  icon.alt = ''
  icon.addEventListener('error', () => icon.remove())
  if (wallet.icon.startsWith('data:image/')) icon.src = wallet.icon
  const label = document.createElement('span')
  label.textContent = `Pay with ${wallet.name}`
  button.append(icon, label)
  button.addEventListener('click', () => void pay(wallet))
  wallets.append(button)
}

async function pay(wallet: Wallet): Promise<void> {
  if (isBusy) return
  setBusy(true)
  try {
    await purchase(wallet, chosenTerms())
  } catch (error) {
    setBusy(false)
    const message = error instanceof Error ? error.message : String(error)
    say(`${message} Nothing was paid.`, 'bad')
  }
}

async function purchase(wallet: Wallet, terms: PageTerms): Promise<void> {
  say(`Connecting to ${wallet.name} …`)
  const account = await connect(wallet)
  const { amount, asset, payTo, tokenProgram, decimals, symbol } = terms
  const source = await associatedAccount(account.address, tokenProgram, asset)
  const held = await balanceOf(source)
  if (held === undefined || held < BigInt(amount))
    throw new Error(`This wallet holds ${decimal(held ?? 0n, decimals)} ${symbol}: not enough.`)
  const challenge = await freshChallenge(data, terms)
  const transaction = await paymentTransaction({
    ...challenge,
    payer: account.address,
    payTo,
    asset,
    tokenProgram,
    decimals,
    amount: BigInt(amount),
  })
  say(`Confirm in ${wallet.name} …`)
  const signed = await sign(wallet, account, data.chain, transaction)
  if (!isSigned(signed)) throw new Error('The wallet did not sign.')
  say('Sending the payment and opening what you bought …', 'good')
  present(data, signed)
}

function chosenTerms(): PageTerms {
  const checked = document.querySelector<HTMLInputElement>('input[name="terms"]:checked')
  const terms = data.terms[Number(checked?.value ?? 0)]
  if (terms === undefined) throw new Error('Nothing here can be paid on this page.')
  return terms
}

function say(text: string, tone: 'plain' | 'good' | 'bad' = 'plain'): void {
  const status = element('status')
  status.textContent = text
  status.dataset.tone = tone
}

function setBusy(busy: boolean): void {
  isBusy = busy
  for (const button of wallets.querySelectorAll('button')) button.disabled = busy
}

function decimal(amount: bigint, decimals: number): string {
  const digits = amount.toString().padStart(decimals + 1, '0')
  const at = digits.length - decimals
  return `${digits.slice(0, at)}.${digits.slice(at)}`.replace(/\.?0+$/, '')
}

function element(id: string): HTMLElement {
  const found = document.getElementById(id)
  if (found === null) throw new Error(`the page has no ${id}`)
  return found
}
