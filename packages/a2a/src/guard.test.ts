import { createServer, type Server } from 'node:http'
import type { AddressInfo, LookupFunction } from 'node:net'
import { afterEach, describe, expect, test } from 'vitest'
import { isPublicAddress } from './address.js'
import { createGuard, GuardError, type GuardOptions, readCapped } from './guard.js'

const servers: Server[] = []
afterEach(async () => {
  for (const server of servers.splice(0)) await new Promise((resolve) => server.close(resolve))
})

async function listen(answer: Parameters<typeof createServer>[1]): Promise<number> {
  const server = createServer(answer as never)
  servers.push(server)
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return (server.address() as AddressInfo).port
}

/** The code of a refusal, also where fetch wraps it. */
async function codeOf(promise: Promise<unknown>): Promise<string> {
  try {
    await promise
    return 'none'
  } catch (error) {
    const cause = GuardError.is(error) ? error : (error as Error).cause
    return GuardError.is(cause) ? cause.code : `${error}`
  }
}

const answering =
  (...addresses: string[]): LookupFunction =>
  (_host, _options, done) =>
    done(
      null,
      addresses.map((address) => ({ address, family: address.includes(':') ? 6 : 4 })),
    )

const quiet = { warn: () => {} }

describe('7.1: an address', () => {
  test.each([
    '8.8.8.8',
    '1.1.1.1',
    '100.63.255.255',
    '100.128.0.1',
    '172.15.0.1',
    '172.32.0.1',
    '198.20.0.1',
    '2606:4700::1111',
    '2a00:1450:4001::1',
    '::ffff:8.8.8.8',
    '2002:808:808::1',
    '64:ff9b::808:808',
  ])('[guard-addresses] %s is public', (address) => expect(isPublicAddress(address)).toBe(true))

  test.each([
    '0.0.0.0',
    '10.1.2.3',
    '100.64.0.1',
    '127.0.0.1',
    '127.255.255.254',
    '169.254.169.254',
    '172.16.0.1',
    '172.31.255.255',
    '192.0.0.1',
    '192.168.1.1',
    '198.18.0.1',
    '198.19.255.255',
    '224.0.0.1',
    '255.255.255.255',
    '::',
    '::1',
    'fc00::1',
    'fdff::1',
    'fe80::1',
    'fe80::1%eth0',
    'ff02::1',
    '::ffff:127.0.0.1',
    '::ffff:a00:1',
    '2002:7f00:1::1',
    '64:ff9b::7f00:1',
    '64:ff9b:1::1',
    '2001:db8::1',
    '2001::1',
    'localhost',
    '',
  ])('[guard-addresses] %s is not', (address) => expect(isPublicAddress(address)).toBe(false))
})

describe('7.1: a URL', () => {
  test.each([
    ['http://example.com/', 'URL_REFUSED'],
    ['file:///etc/passwd', 'URL_REFUSED'],
    ['ftp://example.com/', 'URL_REFUSED'],
    ['https://user:pass@example.com/', 'URL_REFUSED'],
    ['https://example.com:22/', 'URL_REFUSED'],
    ['/relative', 'URL_REFUSED'],
    ['https://127.0.0.1/', 'ADDRESS_REFUSED'],
    ['https://127.0.0.1./', 'ADDRESS_REFUSED'],
    ['https://2130706433/', 'ADDRESS_REFUSED'],
    ['https://0x7f.1/', 'ADDRESS_REFUSED'],
    ['https://[::1]/', 'ADDRESS_REFUSED'],
    ['https://[::ffff:10.0.0.1]/', 'ADDRESS_REFUSED'],
    ['https://169.254.169.254/latest/meta-data', 'ADDRESS_REFUSED'],
  ])('[guard-addresses] %s is refused as %s', async (url, code) => {
    const guard = createGuard()
    expect(await codeOf(guard.check(url))).toBe(code)
    expect(await codeOf(guard.fetch(url))).toBe(code)
    await guard.close()
  })

  test('[guard-addresses] is refused when one of its addresses is private', async () => {
    const guard = createGuard({ lookup: answering('8.8.8.8', '10.0.0.1') })
    expect(await codeOf(guard.check('https://mixed.example/'))).toBe('ADDRESS_REFUSED')
    expect(await codeOf(guard.fetch('https://mixed.example/'))).toBe('ADDRESS_REFUSED')
    await guard.close()
  })

  test('[guard-pin] is looked at again when the connection is made: a name that turned private is refused', async () => {
    let calls = 0
    const rebinding: LookupFunction = (host, options, done) =>
      answering(++calls === 1 ? '8.8.8.8' : '127.0.0.1')(host, options, done)
    const guard = createGuard({ lookup: rebinding })
    expect(await codeOf(guard.check('https://rebind.example/'))).toBe('none')
    expect(await codeOf(guard.fetch('https://rebind.example/'))).toBe('ADDRESS_REFUSED')
    expect(calls).toBe(2)
    await guard.close()
  })
})

describe('7.1: a request', () => {
  const local = (options: GuardOptions = {}): ReturnType<typeof createGuard> =>
    createGuard({ allowPrivateNetwork: true, ...quiet, ...options })

  test('[guard-pin] goes to the address that was looked at', async () => {
    const port = await listen((request, response) => void response.end(request.headers.host))
    const guard = local({ lookup: answering('127.0.0.1') })
    const response = await guard.fetch(`http://agent.example:${port}/`)
    expect(await response.text()).toBe(`agent.example:${port}`)
    await guard.close()
  })

  test('[guard-redirect] is not redirected', async () => {
    let hits = 0
    const port = await listen((_request, response) => {
      hits++
      response.writeHead(307, { location: '/other' }).end()
    })
    const guard = local()
    expect(await codeOf(guard.fetch(`http://127.0.0.1:${port}/`))).toBe('REDIRECT_REFUSED')
    expect(hits).toBe(1)
    await guard.close()
  })

  test('[guard-cap] ends when the head of the answer is late', async () => {
    const port = await listen(() => {})
    const guard = local({ timeoutMs: 50 })
    expect(await codeOf(guard.fetch(`http://127.0.0.1:${port}/`))).not.toBe('none')
    await guard.close()
  })

  test('[guard-cap] has its answer capped', async () => {
    const port = await listen((_request, response) => void response.end('x'.repeat(1000)))
    const guard = local()
    const response = await guard.fetch(`http://127.0.0.1:${port}/`)
    expect(await codeOf(readCapped(response, 999))).toBe('TOO_LARGE')
    const whole = await readCapped(await guard.fetch(`http://127.0.0.1:${port}/`), 1000)
    expect(whole.length).toBe(1000)
    await guard.close()
  })

  test('[guard-flag] to private networks is allowed with a warning only', async () => {
    const warnings: string[] = []
    await createGuard({ allowPrivateNetwork: true, warn: (text) => warnings.push(text) }).close()
    expect(warnings).toHaveLength(1)
  })
})
