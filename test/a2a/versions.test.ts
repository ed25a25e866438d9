/** Service parameters (spec a2a 2.3, 2.12). */
import { describe, expect, test } from 'vitest'
import { CARD, codeOf, envelope, openAgent, restCodeOf, say } from './agent.js'

const OLD = {
  message: { kind: 'message', messageId: 'm', role: 'user', parts: [{ kind: 'text', text: 'hi' }] },
}
const URI = 'https://ext.example/audit/v1'
const withExtension = (required: boolean) => ({ ...CARD, extensions: [{ uri: URI, required }] })

describe('service parameters', () => {
  test.each([
    ['no header', {}],
    ['an empty header', { 'a2a-version': '' }],
    ['0.3', { 'a2a-version': '0.3' }],
    ['0.3 with patch digits', { 'a2a-version': '0.3.0' }],
  ])('[version-absent, version-both] %s means 0.3', async (_name, headers) => {
    const agent = await openAgent()
    const { json } = await agent.post(envelope('message/send', OLD), headers)
    expect(json.result).toMatchObject({ kind: 'task', status: { state: 'completed' } })
  })

  test.each(['1.0', '1.0.0', '1.0.17', ' 1.0 '])(
    '[version-patch, version-both] %o is 1.0',
    async (version) => {
      const agent = await openAgent()
      const { json } = await agent.rpc('SendMessage', say('hi'), { 'a2a-version': version })
      expect(json.result.task.status.state).toBe('TASK_STATE_COMPLETED')
    },
  )

  test.each(['2.0', '0.2', '1', '1.1', 'latest'])(
    '[version-unsupported] %s is -32009 and the text says what to send',
    async (version) => {
      const agent = await openAgent()
      const rpc = await agent.rpc('SendMessage', say('hi'), { 'a2a-version': version })
      expect([rpc.status, ...codeOf(rpc)]).toEqual([200, -32009, 'VERSION_NOT_SUPPORTED'])
      for (const word of ['A2A-Version', '1.0', '0.3']) expect(rpc.json.error.message).toContain(word)
      const rest = await agent.rest('GET', '/tasks', undefined, { 'a2a-version': version })
      expect(restCodeOf(rest)).toEqual([400, 'VERSION_NOT_SUPPORTED'])
      expect(rest.json.error.message).toContain('A2A-Version')
      expect(agent.runs).toEqual([])
    },
  )

  test('[version-query] the query names the version on both bindings', async () => {
    const agent = await openAgent()
    const rpc = await agent.ask('POST', '/?A2A-Version=1.0', { body: envelope('SendMessage', say('hi')) })
    expect(rpc.json.result.task.status.state).toBe('TASK_STATE_COMPLETED')
    expect((await agent.ask('GET', '/tasks?A2A-Version=1.0')).json.totalSize).toBe(1)
    const other = await agent.ask('POST', '/?A2A-Version=9.9', { body: envelope('ListTasks') })
    expect(other.json.error.code).toBe(-32009)
  })

  test('[version-hint] a 1.0 method without the header is -32601, which names the header', async () => {
    const agent = await openAgent()
    const { json, status } = await agent.post(envelope('SendMessage', say('hi')), {})
    expect([status, json.error.code]).toEqual([200, -32601])
    expect(json.error.message).toMatch(/A2A-Version: 1\.0/)
    expect(agent.runs).toEqual([])
  })

  test('[version-legacy-off] with 0.3 off a call without the header is -32009', async () => {
    const agent = await openAgent({ legacy: false })
    for (const method of ['message/send', 'SendMessage']) {
      const answer = await agent.post(envelope(method, OLD), {})
      expect(codeOf(answer)).toEqual([-32009, 'VERSION_NOT_SUPPORTED'])
      expect(answer.json.error.message).toMatch(/A2A-Version: 1\.0/)
    }
    const { supportedInterfaces } = agent.agent.card()
    expect(supportedInterfaces.map(({ protocolVersion }) => protocolVersion)).toEqual(['1.0', '1.0'])
  })

  test('[ext-unknown] unknown extensions are ignored and not echoed', async () => {
    const agent = await openAgent()
    const headers = { 'a2a-version': '1.0', 'a2a-extensions': 'https://nobody.example/x, urn:y' }
    const { json, headers: answered } = await agent.rpc('SendMessage', say('hi'), headers)
    expect(json.result.task.status.state).toBe('TASK_STATE_COMPLETED')
    expect(answered['a2a-extensions']).toBeUndefined()
  })

  test('[ext-echo] what was activated is echoed, and nothing else', async () => {
    const agent = await openAgent()
    const resume = agent.agent.card().capabilities.extensions?.[0]?.uri ?? ''
    const headers = { 'a2a-version': '1.0', 'a2a-extensions': `urn:other,${resume}` }
    const stream = await agent.stream('SendStreamingMessage', say('hi'), headers)
    expect(stream.headers['a2a-extensions']).toBe(resume)
    const rest = await agent.restStream('POST', '/message:stream', say('hi'), headers)
    expect(rest.headers['a2a-extensions']).toBe(resume)
  })

  test('[ext-required] a required extension that is not requested is -32008', async () => {
    const agent = await openAgent({ card: withExtension(true) })
    const rpc = await agent.rpc('SendMessage', say('hi'))
    expect(codeOf(rpc)).toEqual([-32008, 'EXTENSION_SUPPORT_REQUIRED'])
    expect(rpc.json.error.message).toContain(URI)
    expect(restCodeOf(await agent.rest('GET', '/tasks'))).toEqual([400, 'EXTENSION_SUPPORT_REQUIRED'])
    const asked = { 'a2a-version': '1.0', 'a2a-extensions': URI }
    const { json } = await agent.rpc('SendMessage', say('hi'), asked)
    expect(json.result.task.status.state).toBe('TASK_STATE_COMPLETED')
    expect(agent.runs).toEqual(['hi'])
  })

  test('[ext-exact] another version of a required extension does not stand for it', async () => {
    const agent = await openAgent({ card: withExtension(true) })
    const asked = { 'a2a-version': '1.0', 'a2a-extensions': 'https://ext.example/audit/v2' }
    expect(codeOf(await agent.rpc('SendMessage', say('hi'), asked))).toEqual([
      -32008,
      'EXTENSION_SUPPORT_REQUIRED',
    ])
    const resume = agent.agent.card().capabilities.extensions?.[1]?.uri ?? ''
    const near = { 'a2a-version': '1.0', 'a2a-extensions': `${URI},${resume.replace('/v1', '/v2')}` }
    const stream = await agent.stream('SendStreamingMessage', say('hi'), near)
    expect(stream.headers['a2a-extensions']).toBeUndefined()
    expect((await stream.rest()).every(({ id }) => id === undefined)).toBe(true)
  })

  test('[ext-legacy-header] 0.3 names extensions in X-A2A-Extensions, and gets them echoed there', async () => {
    const agent = await openAgent({ card: withExtension(true) })
    expect((await agent.post(envelope('message/send', OLD), {})).json.error.code).toBe(-32008)
    const resume = agent.agent.card().capabilities.extensions?.[1]?.uri ?? ''
    const asked = { 'x-a2a-extensions': `${URI}, ${resume}` }
    const stream = await agent.stream('message/stream', OLD, asked)
    expect(stream.headers['x-a2a-extensions']).toBe(resume)
    expect(stream.headers['a2a-extensions']).toBeUndefined()
  })
})
