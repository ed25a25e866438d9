/** For authors of ledger stores: the contract every store has to meet. */
export { type LedgerContract, ledgerContract } from './ledger/contract-suite.js'
