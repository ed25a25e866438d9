/** One verify worker: batches in, verdicts out, in order (spec 1.7, 3.1 steps 8 and 9). Started by verify-pool.ts. */
import { parentPort } from 'node:worker_threads'
import { blake3 } from '@aetherkit/core'
import sodium from 'sodium-native'
import { judgeBatch } from './verify-batch.js'

parentPort?.on('message', (batch: Uint8Array<ArrayBuffer>) => {
  const verdicts = judgeBatch(batch, blake3, sodium.crypto_sign_verify_detached)
  parentPort?.postMessage(verdicts, [verdicts.buffer])
})
