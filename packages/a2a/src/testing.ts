/** For authors of task stores: the contract every store has to meet. */
export { type TaskStoreContract, taskStoreContract } from './store/contract-suite.js'
