/**
 * Who must work with whom. Rows 1 to 7 are those of spec payments 17; the letters are our additions, and the rows
 * without a piece of ours show what the peers do among themselves. `wire`: what the buyer speaks.
 */
export const ROWS = [
  row('1', 'current', 'v2', 'ours', 'ours', 'v2 server and facilitator'),
  row('2', 'legacy', 'v1', 'ours', 'ours', 'v1 server, three instructions and no memo'),
  row('3', 'ours', 'v2', 'current', 'current', 'v2 client'),
  row('4', 'ours', 'v1', 'legacy', 'current', 'v1 client, with a memo'),
  row('5', 'current', 'v2', 'current', 'ours', 'facilitator endpoints, fee payer of /supported'),
  row('6', 'current', 'v2', 'ours', 'current', 'our facilitator client, v2'),
  row('7', 'current', 'seed', 'ours', 'ours', 'X-Payment-Requirements, X-Payment, receipt in the body'),
  row('8', 'current', 'v1', 'ours', 'ours', 'v1 server, four instructions with our memo'),
  row('9', 'legacy', 'v1', 'legacy', 'ours', 'v1 facilitator, three instructions'),
  row('10', 'current', 'v1', 'legacy', 'ours', 'v1 facilitator, four instructions'),
  row('11', 'legacy', 'v1', 'ours', 'current', 'our facilitator client, v1 without memo'),
  row('12', 'current', 'v1', 'ours', 'current', 'our facilitator client, v1 with memo'),
  row('13', 'current', 'seed', 'ours', 'current', 'our facilitator client, seed'),
  row('14', 'ours', 'v2', 'current', 'ours', 'v2 client and facilitator'),
  row('15', 'ours', 'v1', 'legacy', 'ours', 'v1 client and facilitator'),
  row('16', 'ours', 'v2', 'ours', 'current', 'client and facilitator client'),
  row('17', 'ours', 'v2', 'ours', 'ours', 'all ours'),
  row('18', 'ours', 'seed', 'seed', 'ours', "the seed's sample server over our X402FacilitatorServer"),
  row('19', 'current', 'seed', 'seed', 'ours', 'the same, paid by a plain fetch'),
  row('20', 'legacy', 'v1', 'ours', 'legacy', 'a facilitator that takes three instructions only'),
  { ...row('21', 'ours', 'v1', 'legacy', 'legacy', 'our client without memo'), memo: false },
  row('A', 'current', 'v2', 'current', 'current', 'theirs alone, v2'),
  row('B', 'legacy', 'v1', 'legacy', 'current', 'theirs alone, v1'),
  row('C', 'legacy', 'v1', 'legacy', 'legacy', 'theirs alone, first generation'),
  row('D', 'current', 'v1', 'legacy', 'current', 'theirs alone, v1 client of today'),
  {
    ...row('E', 'current', 'v1', 'legacy', 'legacy', 'theirs alone: the first facilitator refuses a memo'),
    refused: 'invalid_exact_svm_payload_transaction_instructions_length',
  },
]

/** How each piece is called in the table. */
export const PIECES = {
  ours: 'AetherKit',
  current: '@x402 2.27',
  legacy: 'x402 1.2',
  seed: 'seed sample',
}

function row(id, client, wire, server, facilitator, proves) {
  return { id, client, wire, server, facilitator, proves }
}
