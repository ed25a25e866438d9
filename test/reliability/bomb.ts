/** What a bomb is: one hostile thing, and the one right answer to it. */
import { ask, raw } from '../../relay/test/http-client.js'
import { RawPeer, upgrade } from '../../relay/test/raw-peer.js'
import type { Scale } from './case.js'
import type { StartedRelay } from './workplace.js'

export interface Bomb {
  readonly done: string | Readonly<Record<Scale, string>>
  /** The figure, word for word. */
  readonly must: string
  /** Resolves to what came back. */
  throwAt(relay: StartedRelay, scale: Scale): Promise<string>
}

/** What comes back to an upgrade with these header lines: its status, and what was agreed on. */
export async function upgradeAnswer(port: number, headers: readonly string[]): Promise<string> {
  const { socket, response } = await upgrade(port, { path: '/v1/ws', headers })
  socket.destroy()
  const extensions = /^sec-websocket-extensions: *(.*)$/im.exec(response)?.[1]
  return `${response.split(' ')[1]}${extensions === undefined ? '' : ` with ${extensions}`}`
}

/** The status, and the code where the body has one, of the first answer to these bytes. */
export async function httpAnswer(port: number, ...parts: (string | Buffer)[]): Promise<string> {
  const answer = await raw(port, ...parts)
  const [, status = 'nothing'] = /^HTTP\/1\.1 (\d+)/.exec(answer) ?? []
  const code = /"code":"([a-z_]+)"/.exec(answer)?.[1]
  return code === undefined ? status : `${status} ${code}`
}

export async function bodyAnswer(port: number, path: string, body: string): Promise<string> {
  const { status, text } = await ask(port, `POST ${path}`, { body })
  const code = /"code":"([a-z_]+)"/.exec(text)?.[1]
  return code === undefined ? `${status}` : `${status} ${code}`
}

/** The code that closes the connection after what `speak` says. */
export async function closeAfter(port: number, speak: (peer: RawPeer) => void): Promise<string> {
  const peer = await RawPeer.connect(port)
  peer.socket.on('error', () => {})
  speak(peer)
  const { code } = await peer.closed
  return `closed ${code}`
}

/** The code of a native JSON answer to each message, in order. */
export async function nativeCodes(port: number, messages: readonly string[]): Promise<readonly string[]> {
  const peer = await RawPeer.connect(port)
  for (const message of messages) peer.say(message)
  const codes: string[] = []
  while (codes.length < messages.length) {
    const { type, code } = await peer.hearJson()
    if (type !== 'event' && type !== 'eose') codes.push(String(type === 'error' ? code : type))
  }
  await peer.close()
  return codes
}

/** NIP-01 answers to each message, without the challenge: type, and the word before the colon of a refusal. */
export async function nostrCodes(port: number, messages: readonly string[]): Promise<readonly string[]> {
  const peer = await RawPeer.connect(port)
  for (const message of messages) peer.say(message)
  const codes: string[] = []
  while (codes.length < messages.length) {
    const heard: unknown[] = JSON.parse((await peer.hear()).payload.toString())
    const [type] = heard
    const text =
      type === 'OK' ? heard[3] : type === 'NOTICE' ? heard[1] : type === 'CLOSED' ? heard[2] : undefined
    if (type === 'AUTH' || type === 'EVENT') continue
    codes.push(text === undefined ? String(type) : `${type} ${String(text).split(':')[0]}`)
  }
  await peer.close()
  return codes
}

export function head(line: string, ...headers: string[]): string {
  return `${[`${line} HTTP/1.1`, 'Host: relay', ...headers].join('\r\n')}\r\n\r\n`
}
