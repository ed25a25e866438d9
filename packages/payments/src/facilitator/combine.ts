import { PaymentError } from '../errors.js'
import type { Network } from '../network.js'
import type { Settler } from '../settler.js'

/** Several facilitators as one: each network goes to the first that serves it. */
export function combineSettlers(settlers: readonly [Settler, ...Settler[]]): Settler {
  const serving = async (network: Network): Promise<Settler> => {
    for (const settler of settlers) {
      const kinds = await settler.kinds().catch(() => [])
      if (kinds.some((kind) => kind.network === network)) return settler
    }
    return settlers[0]
  }
  return {
    async kinds() {
      const all = await Promise.allSettled(settlers.map((settler) => settler.kinds()))
      const kinds = all.flatMap((answer) => (answer.status === 'fulfilled' ? answer.value : []))
      if (kinds.length === 0)
        throw new PaymentError('facilitator_failed', 'no facilitator says what it serves')
      return kinds.filter(({ network }, i) => kinds.findIndex((kind) => kind.network === network) === i)
    },
    verifyStatic: async (payment, requirement) =>
      (await serving(requirement.network)).verifyStatic(payment, requirement),
    verify: async (payment, requirement) => (await serving(requirement.network)).verify(payment, requirement),
    settle: async (payment, requirement, options) =>
      (await serving(requirement.network)).settle(payment, requirement, options),
    fate: async (signed, requirement) => (await serving(requirement.network)).fate(signed, requirement),
  }
}
