/** HTTP+JSON (spec a2a 2.1): every operation at its path, results and events bare; 0.3 below `/v1`. */
import type { Json, JsonRecord } from '../model.js'
import type { OperationName } from '../operations.js'
import { isRecord } from '../read-fields.js'
import { type Binding, type CallOptions, unnumber } from './binding.js'
import { checkEvent } from './check.js'
import { invalidAnswer } from './errors.js'
import type { HttpCall, HttpLink } from './http-link.js'
import { readEvents, resumeHeader } from './http-wire.js'
import { fromLegacyAnswer, toLegacyBody } from './legacy-rest.js'
import { readHttpError } from './read-error.js'

const legacyShape = (operation: OperationName, params: JsonRecord, { method, path, rest }: Shape): Shape => ({
  method,
  path: operation === 'GetExtendedAgentCard' ? '/card' : path,
  rest: toLegacyBody(operation, params) ?? rest,
})

interface Shape {
  readonly method: HttpCall['method']
  readonly path: string
  /** The rest of the params: in the query of a GET, in the body of a POST. */
  readonly rest: JsonRecord
}

const segment = (value: Json | undefined): string => encodeURIComponent(String(value ?? ''))

/** As `a2a.proto` has it: SubscribeToTask is a GET there. */
const SHAPES: Readonly<Record<OperationName, (params: JsonRecord) => Shape>> = {
  SendMessage: (rest) => ({ method: 'POST', path: '/message:send', rest }),
  SendStreamingMessage: (rest) => ({ method: 'POST', path: '/message:stream', rest }),
  GetTask: ({ id, ...rest }) => ({ method: 'GET', path: `/tasks/${segment(id)}`, rest }),
  ListTasks: (rest) => ({ method: 'GET', path: '/tasks', rest }),
  CancelTask: ({ id, ...rest }) => ({ method: 'POST', path: `/tasks/${segment(id)}:cancel`, rest }),
  SubscribeToTask: ({ id }) => ({ method: 'GET', path: `/tasks/${segment(id)}:subscribe`, rest: {} }),
  CreateTaskPushNotificationConfig: ({ taskId, ...rest }) => ({
    method: 'POST',
    path: `/tasks/${segment(taskId)}/pushNotificationConfigs`,
    rest,
  }),
  GetTaskPushNotificationConfig: ({ taskId, id }) => ({
    method: 'GET',
    path: configPath(taskId, id),
    rest: {},
  }),
  ListTaskPushNotificationConfigs: ({ taskId, ...rest }) => ({
    method: 'GET',
    path: `/tasks/${segment(taskId)}/pushNotificationConfigs`,
    rest,
  }),
  DeleteTaskPushNotificationConfig: ({ taskId, id }) => ({
    method: 'DELETE',
    path: configPath(taskId, id),
    rest: {},
  }),
  GetExtendedAgentCard: () => ({ method: 'GET', path: '/extendedAgentCard', rest: {} }),
}

const configPath = (taskId: Json | undefined, id: Json | undefined): string =>
  `/tasks/${segment(taskId)}/pushNotificationConfigs/${segment(id)}`

export function restBinding(
  link: HttpLink,
  {
    url,
    name,
    version,
    tenant,
  }: Pick<Binding, 'url' | 'name' | 'version'> & { readonly tenant: string | undefined },
  headers: Readonly<Record<string, string>>,
): Binding {
  const base = url.replace(/\/+$/, '') + (tenant === undefined ? '' : `/${segment(tenant)}`)
  const isLegacy = version === '0.3'
  const prefix = isLegacy ? '/v1' : ''
  const resultOf = (operation: OperationName, answer: unknown): unknown =>
    isLegacy ? fromLegacyAnswer(operation, answer) : answer
  const callOf = (
    operation: OperationName,
    params: JsonRecord,
    options: CallOptions,
    accept: string,
  ): HttpCall => {
    const shape = SHAPES[operation](params)
    const { method, path, rest } = isLegacy ? legacyShape(operation, params, shape) : shape
    const query = method === 'GET' ? queryOf(rest) : ''
    return {
      url: `${base}${prefix}${path}${query}`,
      method,
      headers: {
        accept,
        ...(method === 'POST' && { 'content-type': 'application/json' }),
        ...headers,
        ...resumeHeader(options),
        ...options.headers,
      },
      ...(method === 'POST' && { body: JSON.stringify(rest) }),
      signal: options.signal,
      operation,
    }
  }
  return {
    url,
    name,
    version,
    async call(operation, params, options) {
      const accept = isLegacy ? 'application/json' : 'application/a2a+json, application/json'
      return resultOf(operation, await link.json(callOf(operation, params, options, accept)))
    },
    async *stream(operation, params, options) {
      const response = await link.open(
        callOf(operation, params, options, 'text/event-stream, application/json'),
      )
      for await (const { envelope, id, head, isError } of readEvents(response, link.maxBytes, options)) {
        if (isRecord(envelope) && (isRecord(envelope.error) || (isError === true && isLegacy)))
          throw readHttpError(envelope, { ...head, status: 500, header: () => undefined }, operation)
        if (isError === true) throw invalidAnswer('the stream broke off with an error that says nothing')
        yield unnumber(checkEvent(resultOf(operation, envelope)), id)
      }
    },
    close() {},
  }
}

function queryOf(params: JsonRecord): string {
  const query = new URLSearchParams()
  for (const [name, value] of Object.entries(params)) if (value !== undefined) query.set(name, String(value))
  const text = query.toString()
  return text === '' ? '' : `?${text}`
}
