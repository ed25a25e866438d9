/** Our facilitator over HTTP. */
import {
  createFacilitator,
  createLedger,
  createSolanaSettler,
  facilitatorListener,
  keypairSigner,
  memoryStore,
} from '@aetherkit/payments'
import { decodeBase58 } from '../differential/message.mjs'
import { serveHttp, settings } from '../line.mjs'

const { rpcUrl, network, secretKey } = settings
const settler = createSolanaSettler({ rpcUrl, network, sponsors: [keypairSigner(decodeBase58(secretKey))] })
const facilitator = createFacilitator({ settler, ledger: createLedger(memoryStore()), rateLimit: false })
serveHttp({ listener: facilitatorListener(facilitator) })
