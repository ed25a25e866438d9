import fc from 'fast-check'
import { afterEach, describe, expect, test } from 'vitest'
import { openParrot, V1 } from '../test/http.js'

const closing: (() => unknown)[] = []
afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close()
})

describe('7.6: anything at all', () => {
  const METHODS = [
    'SendMessage',
    'SendStreamingMessage',
    'GetTask',
    'ListTasks',
    'CancelTask',
    'SubscribeToTask',
  ]
  const PUSH = ['Create', 'Get', 'Delete'].map((verb) => `${verb}TaskPushNotificationConfig`)
  const LEGACY = ['message/send', 'message/stream', 'tasks/get', 'tasks/cancel', 'tasks/resubscribe']
  const LEGACY_PUSH = ['set', 'get', 'list', 'delete'].map((verb) => `tasks/pushNotificationConfig/${verb}`)
  const any = fc.jsonValue({ maxDepth: 3 })
  const near = fc.record(
    {
      message: fc.oneof(
        any,
        fc.record(
          {
            messageId: fc.oneof(fc.string(), any),
            role: fc.oneof(fc.constantFrom('ROLE_USER', 'user', 1, 3), any),
            parts: fc.oneof(
              any,
              fc.array(
                fc.oneof(
                  any,
                  fc.record({ kind: any, text: any, file: any, data: any }, { requiredKeys: [] }),
                ),
              ),
            ),
            metadata: any,
            taskId: any,
            referenceTaskIds: any,
          },
          { requiredKeys: [] },
        ),
      ),
      configuration: fc.oneof(
        any,
        fc.record(
          { historyLength: any, pushNotificationConfig: any, taskPushNotificationConfig: any, blocking: any },
          { requiredKeys: [] },
        ),
      ),
      id: any,
      taskId: any,
      url: any,
      metadata: any,
      authentication: any,
      pushNotificationConfig: any,
      pageSize: any,
      status: any,
      statusTimestampAfter: any,
    },
    { requiredKeys: [] },
  )

  test.each([
    ['1.0', [...METHODS, ...PUSH]],
    ['0.3', [...LEGACY, ...LEGACY_PUSH]],
  ])(
    '7.6: no params make an internal error in %s',
    async (version, methods) => {
      const parrot = await openParrot({
        limits: { tasksAnonymous: 1_000_000, executionsPerOwner: 1000, executions: 1000 },
      })
      closing.push(() => parrot.agent.close())
      await fc.assert(
        fc.asyncProperty(fc.constantFrom(...methods), fc.oneof(any, near), async (method, params) => {
          const { status, text } = await parrot.rpc(method, params, { 'a2a-version': version })
          expect([200, 429]).toContain(status)
          expect(text).not.toContain('-32603')
        }),
        { numRuns: 400 },
      )
      expect(parrot.errors).toEqual([])
    },
    30_000,
  )

  test('7.6: no path makes an internal error', async () => {
    const parrot = await openParrot()
    closing.push(() => parrot.agent.close())
    const piece = fc.constantFrom(
      'tasks',
      'v1',
      'message:send',
      ':cancel',
      'a:subscribe',
      '..',
      '%2e',
      '%2f',
      '',
      'pushNotificationConfigs',
      '__proto__',
      'constructor',
    )
    await fc.assert(
      fc.asyncProperty(
        fc.array(piece, { maxLength: 6 }),
        fc.constantFrom('GET', 'POST', 'DELETE', 'PATCH'),
        async (parts, verb) => {
          const { status } = await parrot.ask(verb, `/${parts.join('/')}`, { headers: V1 })
          expect(status).toBeLessThan(500)
        },
      ),
      { numRuns: 300 },
    )
    expect(parrot.errors).toEqual([])
  }, 30_000)
})
