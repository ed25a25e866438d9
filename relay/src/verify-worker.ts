/** One verify worker: batches in, verdicts out, in order (spec 1.7, 3.1 steps 8 and 9). Started by verify-pool.ts. */
import { parentPort } from 'node:worker_threads'
import { blake3 } from '@aetherkit/core'
import sodium from 'sodium-native'
import { schnorr } from './schnorr.js'
import { judgeBatch } from './verify-batch.js'

const judge = { hash: blake3, ed25519: sodium.crypto_sign_verify_detached, schnorr }

parentPort?.on('message', (batch: Uint8Array<ArrayBuffer>) => {
  const verdicts = judgeBatch(batch, judge)
  parentPort?.postMessage(verdicts, [verdicts.buffer])
})
