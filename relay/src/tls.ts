/**
 * The certificate of the relay's ports (spec 13.1): one for all of them, read from files, exchanged while they run.
 * Connections that are open keep what they have.
 */
import { X509Certificate } from 'node:crypto'
import { readFileSync } from 'node:fs'
import type { Server } from 'node:https'
import { createSecureContext } from 'node:tls'

/** PEM: the certificate with its chain, and its key. */
export interface TlsCredentials {
  readonly cert: string | Buffer
  readonly key: string | Buffer
}

/** Below it no client of today is lost. */
export const MIN_TLS_VERSION = 'TLSv1.2'

/** The credentials in use, and the ports that use them. */
export class Tls {
  #credentials: TlsCredentials
  readonly #servers = new Set<Server>()

  /** @throws TypeError for what is no certificate with its key. */
  constructor(credentials: TlsCredentials) {
    assertUsable(credentials)
    this.#credentials = credentials
  }

  get credentials(): TlsCredentials {
    return this.#credentials
  }

  /** From now on the server gets what {@link replace} brings, until it is closed. */
  serve(server: Server): void {
    this.#servers.add(server)
    server.once('close', () => this.#servers.delete(server))
  }

  /** New connections get these. @throws TypeError for what is no certificate with its key: then nothing changes. */
  replace(credentials: TlsCredentials): void {
    assertUsable(credentials)
    this.#credentials = credentials
    for (const server of this.#servers)
      server.setSecureContext({ ...credentials, minVersion: MIN_TLS_VERSION })
  }
}

/** @throws TypeError that names the file and what is wrong with it. */
export function readCredentials(certPath: string, keyPath: string): TlsCredentials {
  const credentials = { cert: readPem(certPath), key: readPem(keyPath) }
  try {
    assertUsable(credentials)
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error)
    throw new TypeError(`${certPath} and ${keyPath}: ${reason}`)
  }
  return credentials
}

/** What tells one certificate from another in a log. */
export function fingerprintOf({ cert }: TlsCredentials): string {
  return new X509Certificate(cert).fingerprint256
}

function readPem(path: string): Buffer {
  try {
    return readFileSync(path)
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? error.code : error
    throw new TypeError(`${path} cannot be read: ${code}`)
  }
}

/** @throws TypeError for what is no certificate with its key. */
export function assertUsable({ cert, key }: TlsCredentials): void {
  try {
    createSecureContext({ cert, key, minVersion: MIN_TLS_VERSION })
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? error.code : error
    throw new TypeError(`not a certificate and its key in PEM (${code})`)
  }
}
