/** For authors of stores: the contract every store has to meet. */
export { type StoreCapabilities, type StoreContract, storeContract } from './store/contract-suite.js'
