/** The verifier of `@x402/svm` 2.27 for the differential test: batches of payments in, verdicts out. */
import { createKeyPairSignerFromBytes, getBase58Encoder } from '@solana/kit'
import { findAssociatedTokenPda } from '@solana-program/token-2022'
import { x402Facilitator } from '@x402/core/facilitator'
import { toFacilitatorSvmSigner } from '@x402/svm'
import { ExactSvmScheme } from '@x402/svm/exact/facilitator'
import { serveLines, settings } from '../line.mjs'

const { rpcUrl, network, secretKey } = settings
const keypair = await createKeyPairSignerFromBytes(getBase58Encoder().encode(secretKey))
const signer = toFacilitatorSvmSigner(keypair, { defaultRpcUrl: rpcUrl })
const facilitator = new x402Facilitator().register(network, new ExactSvmScheme(signer))
// It prints a stack for every transaction that it cannot decode.
console.error = () => {}

serveLines(async ({ payments = [], accounts = [] }) => ({
  verdicts: await Promise.all(payments.map(judge)),
  accounts: await Promise.all(accounts.map(associatedAccount)),
}))

async function judge({ paymentPayload, paymentRequirements }) {
  try {
    const { isValid, invalidReason } = await facilitator.verify(paymentPayload, paymentRequirements)
    return { isValid, reason: invalidReason ?? '' }
  } catch (error) {
    return { isValid: false, reason: `thrown: ${error?.message ?? error}` }
  }
}

async function associatedAccount({ owner, mint, tokenProgram }) {
  const [address] = await findAssociatedTokenPda({ owner, mint, tokenProgram })
  return address
}
